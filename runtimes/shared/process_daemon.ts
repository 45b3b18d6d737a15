import { runDaemon } from "../../src/daemon/daemon.ts";
import { type DaemonParts, type DaemonRuntime, timers } from "../../src/daemon/daemon_host.ts";
import type { DaemonContext, DaemonOptions } from "../../src/daemon/types.ts";

/** The parts of `process` that a daemon uses. */
interface LifeProcess {
  on(event: string, listener: (value: unknown) => void): unknown;
  exit(status: number): never;
}

const life = () => (globalThis as unknown as { process: LifeProcess }).process;

const runtime: DaemonRuntime = {
  onSignal: (name, callback) => void life().on(name, callback),
  onUnhandled(callback) {
    life().on("uncaughtException", callback);
    // Node makes an exception of a rejection that nobody handles, unless its flag says otherwise; with a listener of its own it would ask
    // no flag. Bun does not.
    if ("Bun" in globalThis) life().on("unhandledRejection", callback);
  },
  exit: (status) => life().exit(status),
};

/** A daemon on Node or Bun. */
export function startDaemon(
  parts: DaemonParts,
  setup: (context: DaemonContext) => unknown,
  options: DaemonOptions,
): Promise<void> {
  return runDaemon({ ...runtime, ...timers, ...parts }, setup, options);
}
