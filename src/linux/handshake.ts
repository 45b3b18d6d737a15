import { unreadSockets } from "./accepted.ts";
import type { Clients } from "./clients.ts";
import { SOL_TCP, TCP_INFO } from "./constants.ts";
import type { Libc } from "./libc.ts";

/** Where `tcpi_last_data_recv` is in struct tcp_info (include/uapi/linux/tcp.h). */
const LAST_DATA_RECV = 52;

/**
 * For how long a client may be silent amid a TLS handshake, or between that and its first request, in milliseconds: some round trips. What
 * the kernel has received of it by then is no request yet.
 */
const handshakeMs = 250;

/**
 * Which TCP connections may be shaking hands still: those from which something came just now.
 *
 * @param libc libc.
 * @param fds The connections.
 */
export function maybeShakingHands(libc: Libc, fds: readonly number[]): number[] {
  const info = new Uint8Array(LAST_DATA_RECV + 4);
  const view = new DataView(info.buffer);
  return fds.filter((fd) => {
    if (libc.getsockopt(fd, SOL_TCP, TCP_INFO, info, Uint8Array.of(info.length, 0, 0, 0)) < 0) return false;
    return view.getUint32(LAST_DATA_RECV, true) < handshakeMs;
  });
}

/**
 * How many accepted connections of a server have sent nothing that was read yet: those in their handshake too, where it speaks TLS.
 *
 * @param clients The server's.
 * @param isTls Whether it speaks TLS.
 * @returns `undefined` for a Unix socket, whose kernel does not count.
 */
export function unreadConnections(clients: Clients, isTls: boolean): number | undefined {
  const { libc } = clients;
  if (clients.listener.transport !== "tcp") return undefined;
  const fds = clients.sockets();
  if (!isTls) return unreadSockets(libc, fds);
  const young = new Set(maybeShakingHands(libc, fds));
  return young.size + unreadSockets(libc, fds.filter((fd) => !young.has(fd)));
}
