import { Fd3Error } from "../errors.ts";
import { EPOLL_CTL_MOD } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { descriptorTarget, type EpollEntry, parseEpollInfo, readText, socketInode } from "./proc.ts";

/** How a runtime watches a descriptor: its epoll set, and what it registered there. */
export interface Registration {
  readonly epollFd: number;
  readonly entry: EpollEntry;
}

/** Which set had the last one: a process has one, and looking for it takes as long as there are descriptors. */
const lastSet = new WeakMap<Libc, number>();

function infoOf(libc: Libc, fd: number, target = descriptorTarget(libc, fd)): string | undefined {
  return target === "anon_inode:[eventpoll]" ? readText(libc, `/proc/self/fdinfo/${fd}`) : undefined;
}

/**
 * The epoll sets of this process. They are made at start, so a gap of closed numbers ends the search. Deno has duplicates of its one
 * set: what reads the same is the same.
 */
function epollSets(libc: Libc): Map<string, number> {
  const sets = new Map<string, number>();
  for (let fd = 3, closed = 0; closed < 16; fd++) {
    const target = descriptorTarget(libc, fd);
    closed = target === undefined ? closed + 1 : 0;
    const text = infoOf(libc, fd, target ?? "");
    if (text !== undefined && !sets.has(text)) sets.set(text, fd);
  }
  return sets;
}

/**
 * Where a descriptor is registered with the runtime's epoll set. The inode must match too: a set keeps the entry of a closed
 * number while another descriptor holds the same socket.
 *
 * @throws {Fd3Error} `ERR_FD3_TRANSPLANT` unless exactly one set watches it.
 */
export function findRegistration(libc: Libc, fd: number): Registration {
  const inode = socketInode(descriptorTarget(libc, fd));
  const search = (sets: Iterable<readonly [text: string, epollFd: number]>): Registration[] =>
    [...sets].flatMap(([text, epollFd]) =>
      parseEpollInfo(text, fd).filter((entry) => entry.inode === inode).map((entry) => ({ epollFd, entry }))
    );
  const last = lastSet.get(libc);
  const text = last === undefined ? undefined : infoOf(libc, last);
  let found = text === undefined ? [] : search([[text, last!]]);
  if (found.length !== 1) found = search(epollSets(libc));
  if (found.length !== 1) {
    throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot find how fd ${fd} is watched: ${found.length} epoll entries`);
  }
  lastSet.set(libc, found[0].epollFd);
  return found[0];
}

/** A `struct epoll_event`. */
export function epollEvent(libc: Libc, events: number, data: bigint): Uint8Array {
  // Packed on x86-64 alone (include/uapi/linux/eventpoll.h, EPOLL_PACKED).
  const packed = libc.arch === "x64";
  const bytes = new Uint8Array(packed ? 12 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, events, true);
  view.setBigUint64(packed ? 4 : 8, data, true);
  return bytes;
}

/** Changes the events of a registration. An edge-triggered one is reported anew by this if it is ready (epoll(7)). */
export function rearm(libc: Libc, { epollFd, entry }: Registration, extraEvents: number): number {
  return libc.epoll_ctl(epollFd, EPOLL_CTL_MOD, entry.fd, epollEvent(libc, entry.events | extraEvents, entry.data));
}
