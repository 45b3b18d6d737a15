import { hasLibc, type Host } from "../host.ts";
import { describe, type DescriptorKind, isStreamListener } from "../linux/socket.ts";
import type { ListenFd, ListenOptions } from "../types.ts";
import type { Refusal } from "./refusal.ts";
import { listenFds, table } from "./table.ts";

/** A descriptor that was chosen and is still where it was; `take()` once the runtime has it. */
export interface Choice extends ListenFd {
  /** `undefined` where neither libc nor the runtime can tell. */
  readonly kind: DescriptorKind | undefined;
}

/** A descriptor with the name asked for. */
export interface Candidate extends Choice {
  readonly taken: boolean;
}

/** The kind of a descriptor; `undefined` where neither libc nor the runtime can tell. */
export function kindOf(fd: number, host: Host): DescriptorKind | undefined {
  const libc = host.libc();
  return hasLibc(libc) ? describe(libc, fd) : host.describe?.(fd);
}

/**
 * Those with the name asked for. The name of an escaped unit, `my\x2dapp.socket`, comes through LISTEN_FDNAMES as
 * `myx2dapp.socket` (libsystemd reads it so, too): asking in either form finds it.
 */
export function named(all: ListenFd[], name: string | undefined): ListenFd[] {
  if (name === undefined) return all;
  const unescaped = name.replace(/\\(.)/g, "$1");
  return all.filter((entry) => entry.name === name || entry.name === unescaped);
}

/**
 * The inherited stream listener that the options ask for, not yet taken.
 *
 * @throws {Fd3Error} What reading the environment gave.
 * @param host The runtime.
 * @param options `name`, and whether there is a `fallback`.
 * @returns `undefined` if nothing was passed and the fallback is to be used; a refusal if none can be chosen.
 */
export function chooseStreamListener(host: Host, options: ListenOptions): Choice | Refusal | undefined {
  const { name } = options;
  const passed = listenFds(host, options);
  const { env, taken, claimed } = table(host, { keepEnv: true });
  // What takeFd() gave out, say a memfd out of the store, is no reason against the fallback.
  const all = passed.filter(({ fd }) => !claimed.has(fd));
  if (all.length === 0) {
    return options.fallback === undefined ? { refused: "nothing", env, isClaimed: passed.length > 0 } : undefined;
  }
  const candidates: Candidate[] = [];
  let fitting: Candidate | undefined;
  // Each look at a kind costs: nobody needs those behind the one that is taken.
  const wanted = named(all, name);
  const candidateOf = (entry: ListenFd): Candidate => {
    const isTaken = taken.has(entry.fd);
    return { ...entry, taken: isTaken, kind: isTaken ? undefined : kindOf(entry.fd, host) };
  };
  for (const entry of wanted) {
    const candidate = candidateOf(entry);
    candidates.push(candidate);
    if (candidate.taken || (candidate.kind !== undefined && !isStreamListener(candidate.kind))) continue;
    if (name !== undefined) return candidate;
    if (fitting !== undefined) return { refused: "too many", candidates: wanted.map(candidateOf) };
    fitting = candidate;
  }
  return fitting ?? { refused: "none fits", candidates, all, name };
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
  const { name, mode, group, fallbackFor } = options;
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError(`Cannot listen: name is ${String(name)}, not a string`);
  }
  if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o777)) {
    throw new TypeError(`Cannot listen: mode is ${String(mode)}, not an integer between 0 and 0o777`);
  }
  if (fallbackFor !== undefined && fallbackFor !== "always" && fallbackFor !== "unsupervised") {
    throw new TypeError(`Cannot listen: fallbackFor is ${String(fallbackFor)}, not "always" or "unsupervised"`);
  }
  if (group === undefined || (typeof group === "string" && group !== "")) return;
  if (!(Number.isInteger(group) && group as number >= 0 && group as number < 0xffffffff)) {
    throw new TypeError(`Cannot listen: group is ${JSON.stringify(group)}, neither a name nor a number of a group`);
  }
}
