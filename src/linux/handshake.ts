import { hungUpSockets, unreadSockets } from "./accepted.ts";
import type { Clients } from "./clients.ts";
import {
  SOL_TCP,
  TCP_INFO,
  TCPI_BYTES_RECEIVED,
  TCPI_DATA_SEGS_OUT,
  TCPI_LAST_DATA_RECV,
  TCPI_LAST_DATA_SENT,
} from "./constants.ts";
import type { Libc } from "./libc.ts";
import { peerPort } from "./silent.ts";

/**
 * For how long a client may be silent amid a TLS handshake, and, where nothing tells whether it has asked something, between that and its first
 * request, in milliseconds: some round trips. What the kernel has received of it by then is no request yet.
 */
const handshakeMs = 250;

/**
 * Which TCP connections may be shaking hands still: those from which something came just now.
 *
 * @param libc libc.
 * @param fds The connections.
 */
export function maybeShakingHands(libc: Libc, fds: readonly number[]): number[] {
  const info = new Uint8Array(TCPI_LAST_DATA_RECV + 4);
  const view = new DataView(info.buffer);
  return fds.filter((fd) => {
    if (libc.getsockopt(fd, SOL_TCP, TCP_INFO, info, Uint8Array.of(info.length, 0, 0, 0)) < 0) return false;
    return view.getUint32(TCPI_LAST_DATA_RECV, true) < handshakeMs;
  });
}

/**
 * The TCP connections that have sent something after the last that was sent to them: while no handler runs, that is the beginning of a request.
 *
 * @param libc libc.
 * @param fds The connections.
 */
function halfRequests(libc: Libc, fds: readonly number[]): number[] {
  const info = new Uint8Array(TCPI_DATA_SEGS_OUT + 4);
  const view = new DataView(info.buffer);
  return fds.filter((fd) => {
    if (libc.getsockopt(fd, SOL_TCP, TCP_INFO, info, Uint8Array.of(info.length, 0, 0, 0)) < 0) return false;
    if (view.getBigUint64(TCPI_BYTES_RECEIVED, true) === 0n) return false;
    // Before the first answer the kernel tells when the connection began, and that may be the very moment when something came.
    if (view.getUint32(TCPI_DATA_SEGS_OUT, true) === 0) return true;
    return view.getUint32(TCPI_LAST_DATA_RECV, true) < view.getUint32(TCPI_LAST_DATA_SENT, true);
  });
}

/**
 * Those but for the connections whose peer has sent its end a while ago: a runtime that has not read it by then is amid a handler, and will not
 * read it before that has answered.
 */
function withoutGone(libc: Libc, fds: readonly number[]): readonly number[] {
  const hungUp = hungUpSockets(libc, fds);
  if (hungUp.length === 0) return fds;
  const young = new Set(maybeShakingHands(libc, hungUp));
  const gone = new Set(hungUp.filter((fd) => !young.has(fd)));
  return fds.filter((fd) => !gone.has(fd));
}

/** What a server knows of its connections. */
export interface Known {
  /** Whether it speaks TLS. What comes over TLS need not be a request, such as HTTP/2's acknowledgements. */
  readonly isTls: boolean;
  /** Whether no handler runs and no WebSocket is open, so that what came last cannot belong to one. */
  readonly isCalm: boolean;
  /** The ports of clients that have sent a request over TLS, and maybe of clients before them. */
  readonly asked?: ReadonlySet<number | undefined> | undefined;
}

/**
 * How many accepted connections of a server owe it a request: those that have sent nothing that was read yet, those that have sent no more than
 * their TLS handshake, and, without TLS, those that have sent half a request.
 *
 * @param clients The server's.
 * @returns `undefined` for a Unix socket, whose kernel does not count.
 */
export function unreadConnections(clients: Clients, { isTls, isCalm, asked }: Known): number | undefined {
  const { libc } = clients;
  if (clients.listener.transport !== "tcp") return undefined;
  const fds = withoutGone(libc, clients.sockets());
  const owing = new Set(isTls ? maybeShakingHands(libc, fds) : isCalm ? halfRequests(libc, fds) : []);
  if (asked !== undefined) { for (const fd of fds) if (!asked.has(peerPort(libc, fd))) owing.add(fd); }
  return owing.size + unreadSockets(libc, fds.filter((fd) => !owing.has(fd)));
}
