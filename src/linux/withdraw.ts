import { AF_UNIX, O_CLOEXEC, O_NONBLOCK, SHUT_RDWR, SOCK_CLOEXEC, SOCK_STREAM } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { encodeUnix, secretName } from "./sockaddr.ts";
import { unwatch } from "./transplant.ts";
import { isStill, type Registration } from "./epoll.ts";

/**
 * A listening socket that nobody can reach: an abstract name that nobody knows, and nobody watches it.
 *
 * @returns Its number, or a negative errno.
 */
function openUnreachable(libc: Libc): number {
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | O_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const name = encodeUnix(secretName());
  const bound = libc.bind(fd, name, name.length);
  const result = bound < 0 ? bound : libc.listen(fd, 0);
  if (result < 0) libc.close(fd);
  return result < 0 ? result : fd;
}

/**
 * Takes a listening socket away from a runtime that does not notice: it accepts no more, while its number stays open, since the runtime
 * will close it. No longer watched is not enough: a runtime that is amid a burst of connections goes on until accept(2) finds none. So
 * another listening socket, to which nobody comes, is put in its place. Where there is no descriptor for that one, it is no longer watched.
 *
 * @param libc libc.
 * @param watched How the runtime watches it.
 */
export function withdraw(libc: Libc, watched: Registration): void {
  if (!isStill(libc, watched)) return;
  // First: the epoll set keeps its entry for as long as the socket is open anywhere, be it in the service manager alone, and would report to
  // where the runtime has nothing any more.
  if (unwatch(libc, watched) < 0) return;
  const other = openUnreachable(libc);
  if (other < 0) return;
  libc.dup3(other, watched.entry.fd, O_CLOEXEC);
  libc.close(other);
}

/**
 * shutdown(2), both ways.
 *
 * @param libc libc.
 * @param fd A connection, or a listening socket of our own. Never an inherited one: it would be shut down for everybody.
 */
export function cut(libc: Libc, fd: number): void {
  libc.shutdown(fd, SHUT_RDWR);
}
