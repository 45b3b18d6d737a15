import type { TcpAddress } from "../types.ts";
import { readableSockets } from "./accepted.ts";
import {
  SHUT_RD,
  SO_PEERNAME,
  SOL_SOCKET,
  SOL_TCP,
  TCP_INFO,
  TCPI_BYTES_RECEIVED,
  TCPI_DATA_SEGS_OUT,
  TCPI_LAST_DATA_RECV,
  TCPI_LAST_DATA_SENT,
  TCPI_NOTSENT_BYTES,
  TCPI_UNACKED,
} from "./constants.ts";
import type { Libc } from "./libc.ts";
import { decodeSockaddr } from "./sockaddr.ts";

/** A TCP connection on which nothing has moved for a while. */
export interface SilentConnection {
  readonly fd: number;
  /** Whether the peer has ever sent anything. */
  readonly hasReceived: boolean;
  /** Whether we have. */
  readonly hasSent: boolean;
}

/**
 * The TCP connections on which no data has come or gone for so long, and whose peer has read all that was sent to it.
 *
 * @param libc libc.
 * @param fds Which to look at.
 * @param ms How long, in milliseconds.
 */
export function silentConnections(libc: Libc, fds: readonly number[], ms: number): SilentConnection[] {
  // One for all: there may be thousands.
  const info = new Uint8Array(TCPI_DATA_SEGS_OUT + 4);
  const view = new DataView(info.buffer);
  const length = new Uint8Array(4);
  const at = (offset: number) => view.getUint32(offset, true);
  const found: SilentConnection[] = [];
  for (const fd of fds) {
    length[0] = info.length;
    if (libc.getsockopt(fd, SOL_TCP, TCP_INFO, info, length) < 0) continue;
    if (
      Math.min(at(TCPI_LAST_DATA_SENT), at(TCPI_LAST_DATA_RECV)) < ms || at(TCPI_UNACKED) > 0 ||
      at(TCPI_NOTSENT_BYTES) > 0
    ) continue;
    found.push({
      fd,
      hasReceived: view.getBigUint64(TCPI_BYTES_RECEIVED, true) > 0n,
      hasSent: at(TCPI_DATA_SEGS_OUT) > 0,
    });
  }
  return found;
}

/** The name of a connection's peer, as the kernel has it; `undefined` if it is closed. */
function peerName(libc: Libc, fd: number): Uint8Array | undefined {
  // The kernel refuses to give less than it is asked for: struct sockaddr_in6, or sockaddr_in.
  for (const size of [28, 16]) {
    const name = new Uint8Array(size);
    // getpeername(2) by another name; see peers.ts.
    if (libc.getsockopt(fd, SOL_SOCKET, SO_PEERNAME, name, Uint8Array.of(size, 0, 0, 0)) >= 0) return name;
  }
  return undefined;
}

/** The port of a TCP connection's peer; `NaN` if it is closed. */
export function peerPort(libc: Libc, fd: number): number {
  const name = peerName(libc, fd);
  // It is at the same place in both families.
  return name === undefined ? NaN : name[2] << 8 | name[3];
}

/** Whether this is the peer of a TCP connection. */
export function isPeer(libc: Libc, fd: number, { hostname, port }: TcpAddress): boolean {
  const name = peerName(libc, fd);
  const address = name && decodeSockaddr(name, name.length);
  return address?.transport === "tcp" && address.port === port && address.hostname === hostname;
}

/**
 * Lets a server read the end of these connections, as if their peers had closed them, so that it closes them itself. What arrives before it
 * has read that is read first (tcp(7) says nothing of it; Linux, tcp_recvmsg()). Those on which something waits to be read are left alone.
 */
export function endReading(libc: Libc, fds: readonly number[]): void {
  const unread = new Set(readableSockets(libc, fds));
  for (const fd of fds) if (!unread.has(fd)) libc.shutdown(fd, SHUT_RD);
}
