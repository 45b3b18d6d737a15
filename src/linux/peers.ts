import type { Address, TcpAddress } from "../types.ts";
import { fits } from "./accepted.ts";
import { SO_PEERNAME, SOL_SOCKET } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { tableSize } from "./proc.ts";
import { decodeSockaddr } from "./sockaddr.ts";
import { isStream, localAddress } from "./socket.ts";

/**
 * Which ports the peers of descriptors had when these were looked at last: where to look first. Nobody tells when a connection is closed, so it
 * proves nothing.
 */
class Ports {
  readonly #portAt: Map<number, number> = new Map();
  readonly #fdsOf: Map<number, Set<number>> = new Map();
  /** The number of the newest connection that was asked about. */
  newest = 3;

  /** The descriptors whose peers had this port. */
  fdsOf(port: number): readonly number[] {
    return [...this.#fdsOf.get(port) ?? []];
  }

  /** @param port `undefined` where there is no connection. */
  set(fd: number, port: number | undefined): void {
    const before = this.#portAt.get(fd);
    if (before === port) return;
    if (before !== undefined) {
      const others = this.#fdsOf.get(before)!;
      others.delete(fd);
      if (others.size === 0) this.#fdsOf.delete(before);
      this.#portAt.delete(fd);
    }
    if (port === undefined) return;
    this.#portAt.set(fd, port);
    const others = this.#fdsOf.get(port);
    if (others === undefined) this.#fdsOf.set(port, new Set([fd]));
    else others.add(fd);
  }
}

const known = new WeakMap<Libc, Ports>();

function portsBy(libc: Libc): Ports {
  let ports = known.get(libc);
  if (ports === undefined) known.set(libc, ports = new Ports());
  return ports;
}

/**
 * All numbers, those around one first: a new connection gets the lowest free number, so it is above the one before or, where connections
 * come and go, not far from it.
 */
function* outwards(from: number, end: number): Generator<number, void, undefined> {
  for (let step = 0; from - step >= 3 || from + step < end; step++) {
    if (from + step < end) yield from + step;
    if (step > 0 && from - step >= 3) yield from - step;
  }
}

/** Looks for one connection, without a new buffer for each descriptor. */
class Search {
  readonly #libc: Libc;
  readonly #ports: Ports;
  readonly #listener: TcpAddress;
  readonly #peer: TcpAddress;
  // sizeof(struct sockaddr_in6) and sockaddr_in: the kernel refuses to give less than it is asked for.
  readonly #bytes: Uint8Array;
  readonly #length: Uint8Array = new Uint8Array(4);

  constructor(libc: Libc, listener: TcpAddress, peer: TcpAddress) {
    this.#libc = libc;
    this.#ports = portsBy(libc);
    this.#listener = listener;
    this.#peer = peer;
    this.#bytes = new Uint8Array(listener.hostname.includes(":") ? 28 : 16);
  }

  /** Our end, if this is the connection. */
  #at(fd: number): Address | undefined {
    const [bytes, { hostname, port }] = [this.#bytes, this.#peer];
    this.#length[0] = bytes.length;
    // getpeername(2) by another name: each function of libc that is looked up costs at the start.
    const hasPeer = this.#libc.getsockopt(fd, SOL_SOCKET, SO_PEERNAME, bytes, this.#length) >= 0;
    // It is at the same place in both families.
    const peerPort = hasPeer ? bytes[2] << 8 | bytes[3] : undefined;
    this.#ports.set(fd, peerPort);
    if (peerPort !== port) return undefined;
    const remote = decodeSockaddr(bytes, bytes.length);
    if (remote?.transport !== "tcp" || remote.hostname !== hostname) return undefined;
    const local = localAddress(this.#libc, fd);
    return fits(local, this.#listener) && isStream(this.#libc, fd) ? local : undefined;
  }

  run(): Address | undefined {
    const ports = this.#ports;
    for (const fd of ports.fdsOf(this.#peer.port)) {
      const local = this.#at(fd);
      if (local !== undefined) return local;
    }
    for (const fd of outwards(ports.newest, tableSize(this.#libc))) {
      const local = this.#at(fd);
      if (local === undefined) continue;
      ports.newest = fd;
      return local;
    }
    return undefined;
  }
}

/**
 * Our end of the connection with a peer. One that was asked about before takes three system calls, and a new one a few, however many there
 * are, unless it got the number of one that was closed among thousands.
 *
 * @param libc libc.
 * @param listener Where it came in.
 * @param peer The client's end.
 * @returns `undefined` if it is closed.
 */
export function localEnd(libc: Libc, listener: Address, peer: Address): Address | undefined {
  if (peer.transport !== "tcp" || listener.transport !== "tcp" || peer.hostname === "") return undefined;
  return new Search(libc, listener, peer).run();
}
