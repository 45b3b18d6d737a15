import { Fd3Error } from "../errors.ts";
import { hasLibc, type Host } from "../host.ts";
import { describe, type DescriptorKind, isStreamListener, kindCode, kindText } from "../linux/socket.ts";
import type { ListenFd, ListenOptions } from "../types.ts";
import { listenFds, table } from "./table.ts";
import { explainNothing } from "./wrapper.ts";

/** A descriptor that was chosen and is still where it was; `take()` once the runtime has it. */
export interface Choice extends ListenFd {
  /** `undefined` where neither libc nor the runtime can tell. */
  readonly kind: DescriptorKind | undefined;
}

interface Candidate extends Choice {
  readonly taken: boolean;
}

function kindOf(fd: number, host: Host): DescriptorKind | undefined {
  const libc = host.libc();
  return hasLibc(libc) ? describe(libc, fd) : host.describe?.(fd);
}

/**
 * Whether a descriptor has the name asked for. The name of an escaped unit, `my\x2dapp.socket`, comes through LISTEN_FDNAMES as
 * `myx2dapp.socket` (libsystemd reads it so, too): asking in either form finds it.
 */
export function hasName(entry: ListenFd, name: string | undefined): boolean {
  return name === undefined || entry.name === name || entry.name === name.replace(/\\(.)/g, "$1");
}

function list(candidates: readonly Candidate[]): string {
  const line = (c: Candidate) => {
    const what = c.taken ? "taken before" : c.kind === undefined ? "of unknown kind" : kindText(c.kind);
    return `fd ${c.fd} ${JSON.stringify(c.name)} (${what})`;
  };
  return candidates.map(line).join(", ");
}

function refuse(candidates: readonly Candidate[], all: readonly ListenFd[], name: string | undefined): never {
  if (candidates.length === 0) {
    const names = [...new Set(all.map((entry) => JSON.stringify(entry.name)))].join(", ");
    throw new Fd3Error(
      "ERR_FD3_NAME",
      `Cannot find a descriptor named ${JSON.stringify(name)}: received were ${names}`,
    );
  }
  const free = candidates.filter((c) => !c.taken);
  if (free.length === 0) {
    throw new Fd3Error("ERR_FD3_TAKEN", `Cannot take a descriptor twice: received were ${list(candidates)}`);
  }
  const [{ fd, kind }] = free;
  if (free.length === 1 && kind !== undefined) {
    throw new Fd3Error(kindCode(kind), `Cannot adopt fd ${fd} as a stream listener: ${kindText(kind)}`);
  }
  throw new Fd3Error("ERR_FD3_KIND", `Cannot find a stream listener: received were ${list(candidates)}`);
}

/**
 * The inherited stream listener that the options ask for, not yet taken.
 *
 * @throws {Fd3Error} See {@linkcode Api.listen}.
 * @param host The runtime.
 * @param options `name`, and whether there is a `fallback`.
 * @returns `undefined` if nothing was passed and the fallback is to be used.
 */
export function chooseStreamListener(host: Host, options: ListenOptions): Choice | undefined {
  const { name } = options;
  const passed = listenFds(host, options);
  const { env, taken, claimed } = table(host, { keepEnv: true });
  // What takeFd() gave out, say a memfd out of the store, is no reason against the fallback.
  const all = passed.filter(({ fd }) => !claimed.has(fd));
  if (all.length === 0) {
    if (options.fallback !== undefined) return undefined;
    const why = passed.length === 0 ? explainNothing(env, host) : "takeFd() has all that were passed";
    throw new Fd3Error("ERR_FD3_NO_FDS", `No file descriptors received${why === undefined ? "" : `: ${why}`}`);
  }
  const candidates = all.filter((entry) => hasName(entry, name)).map((entry): Candidate => {
    const isTaken = taken.has(entry.fd);
    return { ...entry, taken: isTaken, kind: isTaken ? undefined : kindOf(entry.fd, host) };
  });
  const fitting = candidates.filter((c) => !c.taken && (c.kind === undefined || isStreamListener(c.kind)));
  if (fitting.length === 0) refuse(candidates, all, name);
  if (fitting.length > 1 && name === undefined) {
    throw new Fd3Error("ERR_FD3_TOO_MANY_FDS", "Too many file descriptors received");
  }
  return fitting[0];
}

/** Marks a descriptor as taken, for every copy of fd3 in this process. */
export function take(host: Host, choice: Choice): void {
  table(host, { keepEnv: true }).taken.add(choice.fd);
}

/** Gives a descriptor back that the runtime did not take after all; a runtime that failed may have closed it. */
export function putBack(host: Host, choice: Choice): void {
  if (kindOf(choice.fd, host)?.is !== "closed") table(host, { keepEnv: true }).taken.delete(choice.fd);
}

/**
 * @throws {TypeError} If an option of `listen()` is not of its kind.
 * @param options What the caller gave.
 */
export function checkListenOptions(options: ListenOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot listen: options are ${String(options)}, not an object`);
  }
  const { name, mode } = options;
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError(`Cannot listen: name is ${String(name)}, not a string`);
  }
  if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o7777)) {
    throw new TypeError(`Cannot listen: mode is ${String(mode)}, not an integer between 0 and 0o7777`);
  }
}
