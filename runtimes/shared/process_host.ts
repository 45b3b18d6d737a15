import type { Host } from "../../src/host.ts";
import type { Runtime } from "../../src/runtime.ts";
import type { DaemonRuntime } from "../../src/daemon/daemon_host.ts";

/** The parts of `process` that fd3 uses. */
export interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly arch: string;
  readonly argv: readonly string[];
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly env: Record<string, string | undefined>;
  on(signal: string, listener: () => void): unknown;
  exit(status: number): never;
  geteuid(): number;
}

/** `globalThis.process`: in Bun and Node it is there from the start and costs nothing. */
export function processGlobal(): Process {
  return (globalThis as unknown as { process: Process }).process;
}

/** What `process` tells a {@linkcode Host}. */
export const processHost: Pick<Host, "pid" | "parentPid" | "env" | "unsetEnv"> = {
  pid: () => processGlobal().pid,
  parentPid: () => processGlobal().ppid,
  env: (name) => processGlobal().env[name],
  unsetEnv: (name) => void delete processGlobal().env[name],
};

/** What `process` tells a {@linkcode Runtime}. */
export const processParts: Pick<Runtime, "args" | "exit" | "onTermination"> = {
  args: () => processGlobal().argv.slice(2),
  exit: (status) => processGlobal().exit(status),
  onTermination(callback) {
    for (const signal of ["SIGTERM", "SIGINT"]) processGlobal().on(signal, callback);
  },
};

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
