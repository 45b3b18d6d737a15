import { Fd3Error } from "../errors.ts";
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  errnoName,
  F_DUPFD_CLOEXEC,
  F_GETFL,
  F_SETFL,
  O_CLOEXEC,
  O_NONBLOCK,
} from "./constants.ts";
import { epollEvent, findRegistration, isStill, type Registration } from "./epoll.ts";
import type { Libc } from "./libc.ts";
import { descriptorNumbers, descriptorTarget, socketInode } from "./proc.ts";
import { isListening, isStream, localAddress } from "./socket.ts";
import type { Address } from "../types.ts";

function check(result: number, action: string): number {
  if (result >= 0) return result;
  throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot ${action}: ${errnoName(result)}`);
}

function sameAddress(a: Address | undefined, b: Address): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

/** The number that the next descriptor gets, unless another thread is faster. */
export function nextFd(libc: Libc, open: number): number {
  const fd = libc.fcntl(open, F_DUPFD_CLOEXEC, 3);
  if (fd >= 0) libc.close(fd);
  return fd;
}

/**
 * The stream listener at an address. A connection of an earlier one may have the same address, and so may a datagram socket. Two listeners
 * have it where they were opened to share it, or where the file of the first was deleted: then nothing tells which is meant.
 *
 * @throws {Fd3Error} `ERR_FD3_TRANSPLANT` if there is none, or another.
 * @param libc libc.
 * @param address The address.
 * @param expected Where to look first.
 */
export function findSocket(libc: Libc, address: Address, expected?: number): number {
  const isThere = (fd: number) =>
    sameAddress(localAddress(libc, fd), address) && isListening(libc, fd) === true && isStream(libc, fd);
  if (expected !== undefined && isThere(expected)) return expected;
  const [found, ...others] = [...descriptorNumbers(libc)].filter(isThere);
  const isOther = (fd: number) => descriptorTarget(libc, fd) !== descriptorTarget(libc, found);
  if (found !== undefined && !others.some(isOther)) return found;
  const why = found === undefined ? "no listener has its address" : "several listeners have its address";
  throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot find the placeholder: ${why}`);
}

/** Makes the runtime forget a descriptor: it stays open, and no event of it is reported any more. */
export function unwatch(libc: Libc, { epollFd, entry }: Registration): number {
  return libc.epoll_ctl(epollFd, EPOLL_CTL_DEL, entry.fd, epollEvent(libc, 0, 0n));
}

/** A listener of the runtime's that stands where the inherited one shall be. */
export interface Placeholder {
  /** Its own address, which no other socket of this process has. */
  readonly address: Address;
  /** The number that it probably has: {@linkcode nextFd} of the moment before it was opened. */
  readonly expected: number;
  /** Closes it by the runtime's own API. */
  close(): void;
}

/**
 * Puts the inherited socket where the runtime's own listener was, in one synchronous run: no turn of the event loop may come
 * between opening the placeholder and the end of this. On a failure everything is undone: the placeholder is itself again and closed,
 * and the inherited descriptor is as it was.
 *
 * @throws {Fd3Error} `ERR_FD3_TRANSPLANT`, naming the step.
 * @param libc libc.
 * @param inherited The inherited descriptor, a socket of the placeholder's family and type.
 * @param placeholder The runtime's listener.
 * @param extraEvents What it is watched for besides what the runtime asked for.
 * @returns The number that the runtime's listener has, now the inherited socket, and how the runtime watched its own.
 */
export function transplant(
  libc: Libc,
  inherited: number,
  placeholder: Placeholder,
  extraEvents = 0,
): Registration {
  const undo: (() => void)[] = [() => placeholder.close()];
  try {
    const inode = socketInode(descriptorTarget(libc, inherited));
    if (inode === undefined) throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot read which socket fd ${inherited} is`);
    const fd = findSocket(libc, placeholder.address, placeholder.expected);
    const { epollFd, entry } = findRegistration(libc, fd);
    const flags = check(libc.fcntl(inherited, F_GETFL, 0), `read the flags of fd ${inherited}`);
    if ((flags & O_NONBLOCK) === 0) {
      check(libc.fcntl(inherited, F_SETFL, flags | O_NONBLOCK), `make fd ${inherited} non-blocking`);
      undo.push(() => libc.fcntl(inherited, F_SETFL, flags));
    }
    const saved = check(libc.fcntl(fd, F_DUPFD_CLOEXEC, 3), "keep the placeholder");
    undo.push(() => libc.close(saved));
    check(libc.dup3(inherited, fd, O_CLOEXEC), `put fd ${inherited} in the placeholder's place`);
    undo.push(() => {
      // The kernel keeps an entry for as long as the inherited socket is open anywhere: dup3 alone would leave it.
      // The placeholder's own is still there, kept by its duplicate.
      libc.epoll_ctl(epollFd, EPOLL_CTL_DEL, fd, epollEvent(libc, 0, 0n));
      libc.dup3(saved, fd, O_CLOEXEC);
    });
    const event = epollEvent(libc, entry.events | extraEvents, entry.data);
    check(libc.epoll_ctl(epollFd, EPOLL_CTL_ADD, fd, event), `watch fd ${fd}`);
    const registration = { epollFd, entry: { ...entry, inode } };
    if (!isStill(libc, registration)) {
      throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot find the inherited socket in its new place, fd ${fd}`);
    }
    libc.close(saved);
    return registration;
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
}

/**
 * Opens a placeholder, and puts the inherited socket where it is.
 *
 * @throws {Fd3Error} What {@linkcode transplant} throws, and what opening it throws.
 * @param libc libc.
 * @param inherited The inherited descriptor.
 * @param open Opens the runtime's listener, in one synchronous run.
 * @param extraEvents See {@linkcode transplant}.
 * @returns What was opened, and how the runtime watched it.
 */
export function openTransplanted<P extends Omit<Placeholder, "expected">>(
  libc: Libc,
  inherited: number,
  open: () => P,
  extraEvents?: number,
): P & { readonly watched: Registration } {
  const expected = nextFd(libc, inherited);
  const opened = open();
  const { address, close } = opened;
  return { ...opened, watched: transplant(libc, inherited, { address, expected, close }, extraEvents) };
}
