import { AF_UNIX, EINTR, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM } from "../linux/constants.ts";
import type { Libc } from "../linux/libc.ts";
import { encodeUnix } from "../linux/sockaddr.ts";

/** An empty buffer has no address on some runtimes. */
const nothing = new Uint8Array(1);

/**
 * Sends a datagram without descriptors, in our own name, and without waiting: an event loop has more to do than to wait for a service
 * manager. The kernel adds our process ID and our real user (maybe_add_creds() in net/unix/af_unix.c).
 *
 * @param libc libc.
 * @param address `/path` or `@abstract`.
 * @param payload The message.
 * @returns 0 or more, or the negative errno: EAGAIN where the queue of the receiver is full.
 */
export function sendPlain(libc: Libc, address: string, payload: Uint8Array): number {
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return socket;
  const name = encodeUnix(address);
  const bytes = payload.length === 0 ? nothing : payload;
  const send = () => libc.sendto(socket, bytes, payload.length, MSG_NOSIGNAL | MSG_DONTWAIT, name, name.length);
  let result: number;
  while ((result = send()) === -EINTR);
  libc.close(socket);
  return result;
}
