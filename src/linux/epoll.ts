import { Fd3Error } from "../errors.ts";
import { EPOLL_CTL_MOD } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { descriptorNumbers, descriptorTarget, type EpollEntry, parseEpollInfo, readText, socketInode } from "./proc.ts";

/** How a runtime watches a descriptor: its epoll set, and what it registered there. */
export interface Registration {
  readonly epollFd: number;
  readonly entry: EpollEntry;
}

/** Which set had the last one: a process has one, and looking for it takes as long as there are descriptors. */
const lastSet = new WeakMap<Libc, number>();

/** How a set watches the socket with this inode at this number: nothing else has such lines. */
function entryIn(libc: Libc, epollFd: number, fd: number, inode: number | undefined): Registration | undefined {
  const text = readText(libc, `/proc/self/fdinfo/${epollFd}`) ?? "";
  const entry = parseEpollInfo(text, fd).find((entry) => entry.inode === inode);
  return entry && { epollFd, entry };
}

/** The sets are made at start, so the first numbers have them, unless descriptors were inherited: those may be closed by now. */
function search(libc: Libc, fd: number, inode: number | undefined): Registration | undefined {
  for (const epollFd of descriptorNumbers(libc)) {
    if (descriptorTarget(libc, epollFd) !== "anon_inode:[eventpoll]") continue;
    const found = entryIn(libc, epollFd, fd, inode);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Where a descriptor is registered with the runtime's epoll set: nobody but the runtime knows a number that it has just opened, so the first
 * set that has it is the one (Deno has duplicates of it). The inode must match too: a set keeps the entry of a closed number while another
 * descriptor holds the same socket.
 *
 * @throws {Fd3Error} `ERR_FD3_TRANSPLANT` if none watches it.
 */
export function findRegistration(libc: Libc, fd: number): Registration {
  const inode = socketInode(descriptorTarget(libc, fd));
  const last = lastSet.get(libc);
  const found = (last === undefined ? undefined : entryIn(libc, last, fd, inode)) ?? search(libc, fd, inode);
  if (found === undefined) {
    throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot find how fd ${fd} is watched: no epoll set has it`);
  }
  lastSet.set(libc, found.epollFd);
  return found;
}

/** Whether the number still has the socket that was registered: once the runtime has closed it, the number may be anybody's. */
export function isStill(libc: Libc, { entry }: Registration): boolean {
  return socketInode(descriptorTarget(libc, entry.fd)) === entry.inode;
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
