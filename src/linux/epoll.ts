import { Fd3Error } from "../errors.ts";
import { EPOLL_CTL_MOD } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { descriptorTarget, type EpollEntry, parseEpollInfo, readText, socketInode } from "./proc.ts";

/** How a runtime watches a descriptor: its epoll set, and what it registered there. */
export interface Registration {
  readonly epollFd: number;
  readonly entry: EpollEntry;
}

interface EpollSet {
  readonly fd: number;
  readonly entries: EpollEntry[];
}

/**
 * The epoll sets of this process. They are made at start, so a gap of closed numbers ends the search. Deno has duplicates of its one
 * set: what reads the same is the same.
 */
function epollSets(libc: Libc): EpollSet[] {
  const sets = new Map<string, EpollSet>();
  for (let fd = 3, closed = 0; closed < 16; fd++) {
    const target = descriptorTarget(libc, fd);
    closed = target === undefined ? closed + 1 : 0;
    if (target !== "anon_inode:[eventpoll]") continue;
    const text = readText(libc, `/proc/self/fdinfo/${fd}`) ?? "";
    if (!sets.has(text)) sets.set(text, { fd, entries: parseEpollInfo(text) });
  }
  return [...sets.values()];
}

/**
 * Where a descriptor is registered with the runtime's epoll set. The inode must match too: a set keeps the entry of a closed
 * number while another descriptor holds the same socket.
 *
 * @throws {Fd3Error} `ERR_FD3_TRANSPLANT` unless exactly one set watches it.
 */
export function findRegistration(libc: Libc, fd: number): Registration {
  const inode = socketInode(descriptorTarget(libc, fd));
  const found: Registration[] = [];
  for (const set of epollSets(libc)) {
    for (const entry of set.entries) {
      if (entry.fd === fd && entry.inode === inode) found.push({ epollFd: set.fd, entry });
    }
  }
  if (found.length === 1) return found[0];
  throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot find how fd ${fd} is watched: ${found.length} epoll entries`);
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
