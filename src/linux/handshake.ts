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
