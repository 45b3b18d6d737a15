import { Fd3Error } from "../errors.ts";
import type { Host } from "../host.ts";
import type { ListenFd, ListenFdsOptions } from "../types.ts";
import { type Environment, readListenFds, variables } from "./listen_fds.ts";

/** What this process was passed, and what of it is taken. */
export interface Table {
  /** The environment as it was at first sight. */
  readonly env: Environment;
  /** The descriptors, or the error that reading them gave. */
  readonly result: readonly ListenFd[] | Fd3Error;
  /** Whether there are some that this thread may not use: then the variables stay. */
  readonly isRefused?: boolean;
  readonly taken: Set<number>;
  /** Those of the taken ones that takeFd() gave out: for `listen()` they were never passed. */
  readonly claimed: Set<number>;
}

// On globalThis, not in this module: two copies of the package may meet, and `bun --hot` evaluates a module twice.
const key: unique symbol = Symbol.for("fd3.table");

/**
 * A worker's globalThis is its own, so it would take what the main thread takes, and close what is somebody else's by then. What it is refused
 * must stay for that one: the variables, too, which all threads of Deno share.
 */
function inWorker(passed: readonly ListenFd[]): Fd3Error {
  const fds = passed.length === 1 ? `fd ${passed[0].fd} belongs` : `${passed.length} descriptors belong`;
  const text = `Cannot use descriptors in a worker: ${fds} to the whole process; call fd3 in the main thread`;
  return new Fd3Error("ERR_FD3_PLATFORM", text);
}

function read(host: Host): Table {
  const env: Environment = {};
  for (const variable of variables) {
    const value = host.env(variable);
    if (value !== undefined) env[variable] = value;
  }
  const sets = { taken: new Set<number>(), claimed: new Set<number>() };
  try {
    const result = readListenFds(env, host);
    const isRefused = result.length > 0 && host.isWorker();
    return isRefused ? { env, result: inWorker(result), isRefused, ...sets } : { env, result, ...sets };
  } catch (error) {
    if (!(error instanceof Fd3Error)) throw error;
    return { env, result: error, ...sets };
  }
}

/**
 * The table of this process, made on the first call.
 *
 * @param host The runtime.
 * @param options `keepEnv` leaves the variables in the environment.
 */
export function table(host: Host, options: ListenFdsOptions = {}): Table {
  const holder = globalThis as { [key]?: Table };
  const made = holder[key] ??= read(host);
  if (options.keepEnv !== true && made.isRefused !== true) {
    for (const variable of variables) host.unsetEnv(variable);
  }
  return made;
}

/** {@linkcode table}, its error thrown. */
export function listenFds(host: Host, options?: ListenFdsOptions): ListenFd[] {
  const { result } = table(host, options);
  // Not instanceof: the error may be of another copy's class.
  if (!Array.isArray(result)) throw result;
  return [...result];
}
