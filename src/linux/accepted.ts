import type { Address } from "../types.ts";
import { SOL_TCP, TCP_INFO, TCPI_BYTES_RECEIVED } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { Look } from "./look.ts";
import { isListening, isStream } from "./socket.ts";

const POLLIN = 1;
const POLLRDHUP = 0x2000;
const POLLNVAL = 32;

/** Whether a connection that came in at a listener may have this as our end. A listener on all addresses says less than its connections. */
export function fits(address: Address | undefined, listener: Address): boolean {
  if (listener.transport === "unix") return address?.transport === "unix" && address.path === listener.path;
  if (address?.transport !== "tcp" || listener.transport !== "tcp" || address.port !== listener.port) return false;
  return address.hostname === listener.hostname || isWildcard(listener);
}

/** Whether a listener is on all addresses, of IPv4 or of both families. */
export function isWildcard(listener: Address): boolean {
  return listener.transport === "tcp" && (listener.hostname === "::" || listener.hostname === "0.0.0.0");
}

/**
 * The connections of this process that came in at an address: for servers that do not tell them.
 *
 * @param libc libc.
 * @param listener Where it listens.
 * @param look At which sockets: those of now, unless the same is asked again and again, or of many servers.
 * @returns Their descriptors.
 */
export function acceptedSockets(libc: Libc, listener: Address, look: Look = new Look(libc)): number[] {
  const found: number[] = [];
  for (const { fd, address } of look.near(listener)) {
    if (fits(address, listener) && isListening(libc, fd) === false && isStream(libc, fd)) found.push(fd);
  }
  return found;
}

/** Which of these have something that nobody has read yet, be it the peer's end; of a listener: a client that nobody has accepted. */
export function readableSockets(libc: Libc, fds: readonly number[]): number[] {
  return polled(libc, fds, POLLIN);
}

/** Which of these connections have a peer that sends nothing more: most such peers have closed it. */
export function hungUpSockets(libc: Libc, fds: readonly number[]): number[] {
  return polled(libc, fds, POLLRDHUP);
}

function polled(libc: Libc, fds: readonly number[], events: number): number[] {
  const entries = new Uint8Array(fds.length * 8);
  const view = new DataView(entries.buffer);
  fds.forEach((fd, i) => {
    view.setInt32(i * 8, fd, true);
    view.setInt16(i * 8 + 4, events, true);
  });
  if (fds.length === 0 || libc.poll(entries, fds.length, 0) <= 0) return [];
  return fds.filter((_, i) => (view.getInt16(i * 8 + 6, true) & ~POLLNVAL) !== 0);
}

/**
 * How many TCP connections owe an answer that no handler knows of: their clients have sent nothing yet, or something that nobody has
 * read.
 *
 * @param libc libc.
 * @param fds The connections.
 */
export function unreadSockets(libc: Libc, fds: readonly number[]): number {
  const unread = new Set(readableSockets(libc, fds));
  // One for all: there may be thousands.
  const info = new Uint8Array(TCPI_BYTES_RECEIVED + 8);
  const received = new BigUint64Array(info.buffer, TCPI_BYTES_RECEIVED, 1);
  const length = new Uint8Array(4);
  const hasSentNothing = (fd: number) => {
    length[0] = info.length;
    return libc.getsockopt(fd, SOL_TCP, TCP_INFO, info, length) >= 0 && received[0] === 0n;
  };
  return fds.filter((fd) => unread.has(fd) || hasSentNothing(fd)).length;
}
