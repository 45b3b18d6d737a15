import { Fd3Error } from "../errors.ts";
import { hasLibc, type Host } from "../host.ts";
import { describe, type DescriptorKind, isStreamListener } from "../linux/socket.ts";
import { type Refuse, refusing } from "../quoted.ts";
import type { Address, ListenFd, ListenFdsOptions, ListenOptions } from "../types.ts";
import type { Environment } from "./listen_fds.ts";
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

/** What kind of descriptor is wanted, and the words for refusals. */
export interface Wanted {
  /** What it is: "a stream listener". */
  readonly what: string;
  /** The line of a socket unit that makes one: "ListenStream=". */
  readonly line: string;
  /** Whether a descriptor is one. */
  fits(kind: DescriptorKind): boolean;
}

/** A listening stream socket. */
export const streamListener: Wanted = { what: "a stream listener", line: "ListenStream=", fits: isStreamListener };

/** Why no descriptor could be chosen. */
export type Refusal =
  | {
    readonly refused: "nothing";
    readonly env: Environment;
    /** Whether something was passed, which `takeFd()` gave out. */
    readonly isClaimed: boolean;
  }
  | { readonly refused: "too many"; readonly candidates: readonly Candidate[] }
  | {
    readonly refused: "none fits";
    readonly wanted: Wanted;
    /** Those with the name. */
    readonly candidates: readonly Candidate[];
    readonly passed: readonly ListenFd[];
    readonly name: string | undefined;
  };

/** Which of the descriptors that fit. */
export interface ChooseOptions extends ListenFdsOptions {
  /** Those of this name; without it, those of any. */
  readonly name?: string;
  /** All of them, at least one. Without it, the first of that name, or the only one. */
  readonly all?: boolean;
  /** Where nothing was passed, it is used. */
  readonly fallback?: unknown;
}

/**
 * The inherited descriptors that the options ask for, not yet taken: one, or with `all` one or more.
 *
 * @throws {Fd3Error} What reading the environment gave.
 * @param host The runtime.
 * @param wanted What they must be.
 * @param options Which of them.
 * @returns `undefined` if nothing was passed and the fallback is to be used; a refusal if none can be chosen.
 */
export function choose(host: Host, wanted: Wanted, options: ChooseOptions): readonly Choice[] | Refusal | undefined {
  const { name, all = false } = options;
  const received = listenFds(host, options);
  const { env, taken, claimed } = table(host, { keepEnv: true });
  // What takeFd() gave out, say a memfd out of the store, is no reason against the fallback.
  const passed = received.filter(({ fd }) => !claimed.has(fd));
  if (passed.length === 0) {
    return options.fallback === undefined ? { refused: "nothing", env, isClaimed: received.length > 0 } : undefined;
  }
  const candidateOf = (entry: ListenFd): Candidate => {
    const isTaken = taken.has(entry.fd);
    return { ...entry, taken: isTaken, kind: isTaken ? undefined : kindOf(entry.fd, host) };
  };
  const candidates: Candidate[] = [];
  const fitting: Candidate[] = [];
  const asked = named(passed, name);
  for (const entry of asked) {
    const candidate = candidateOf(entry);
    candidates.push(candidate);
    if (candidate.taken || (candidate.kind !== undefined && !wanted.fits(candidate.kind))) continue;
    fitting.push(candidate);
    // Each look at a kind costs: nobody needs those behind the one that is taken.
    if (name !== undefined && !all) break;
    if (fitting.length > 1 && !all) return { refused: "too many", candidates: asked.map(candidateOf) };
  }
  return fitting.length > 0 ? fitting : { refused: "none fits", wanted, candidates, passed, name };
}

/** Marks a descriptor as taken, for every copy of fd3 in this process. */
export function take(host: Host, choice: Choice): void {
  table(host, { keepEnv: true }).taken.add(choice.fd);
}

/** Gives a descriptor back that the runtime did not take after all; a runtime that failed may have closed it. */
export function putBack(host: Host, choice: Choice): void {
  if (kindOf(choice.fd, host)?.is !== "closed") table(host, { keepEnv: true }).taken.delete(choice.fd);
}

/** What is left of a runtime's own options once those of `listen()` are out. */
export function ownOptions<O extends ListenOptions>(options: O): Omit<O, keyof ListenOptions> {
  const { keepEnv: _1, mode: _2, group: _3, name: _4, all: _5, fallback: _6, fallbackFor: _7, ...own } = options;
  return own;
}

const refuse: Refuse = refusing("listen");

/** Whether it is an integer from 0 up to another, without that. */
function isIn(value: unknown, end: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;
}

/**
 * @throws {TypeError} If an option of `listen()` is not of its kind.
 * @param options What the caller gave.
 */
export function checkListenOptions(options: ListenOptions): void {
  if (typeof options !== "object" || options === null) refuse("options", options, "not an object");
  const { name, all, mode, group, fallbackFor } = options;
  if (name !== undefined && typeof name !== "string") refuse("name", name, "not a string");
  if (all !== undefined && typeof all !== "boolean") refuse("all", all, "not true or false");
  if (mode !== undefined && !isIn(mode, 0o1000)) refuse("mode", mode, "not an integer between 0 and 0o777");
  if (fallbackFor !== undefined && fallbackFor !== "always" && fallbackFor !== "unsupervised") {
    refuse("fallbackFor", fallbackFor, 'not "always" or "unsupervised"');
  }
  if (group === undefined || (typeof group === "string" && group !== "")) return;
  if (!isIn(group, 0xffffffff)) refuse("group", group, "neither a name nor a number of a group");
}

/**
 * The address of a chosen listener, where it is known.
 *
 * @throws {Fd3Error} `ERR_FD3_PLATFORM` for a vsock: no runtime accepts on one.
 */
export function addressOf({ fd, kind }: Choice): Exclude<Address, { transport: "vsock" }> | undefined {
  const address = kind?.is === "socket" ? kind.address : undefined;
  if (address?.transport === "vsock") {
    throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${fd} as a stream listener: no runtime accepts on a vsock`);
  }
  return address;
}
