import type { DaemonRuntime } from "../../src/daemon/daemon_host.ts";

/** The parts of `process` that a daemon uses. */
interface LifeProcess {
  on(event: string, listener: (value: unknown) => void): unknown;
  exit(status: number): never;
}

const life = () => (globalThis as unknown as { process: LifeProcess }).process;

/** What a daemon asks of Node or Bun. */
export const processDaemon: DaemonRuntime = {
  onSignal: (name, callback) => void life().on(name, callback),
  onUnhandled(callback) {
    life().on("uncaughtException", callback);
    // Node makes an exception of a rejection that nobody handles, unless its flag says otherwise; with a listener of its own it would ask
    // no flag. Bun does not.
    if ("Bun" in globalThis) life().on("unhandledRejection", callback);
  },
  pause: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
  afterIfAlive(ms, callback) {
    const timer = setTimeout(callback, ms);
    (timer as unknown as { unref(): void }).unref();
    return () => clearTimeout(timer);
  },
  exit: (status) => life().exit(status),
};
