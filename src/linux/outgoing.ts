import type { Clients } from "./clients.ts";
import { SHUT_RD, SO_LINGER, SO_MEMINFO, SOL_SOCKET, SOL_TCP, TCP_INFO, TCPI_NOTSENT_BYTES } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { peerPort } from "./silent.ts";
import { cut } from "./withdraw.ts";

/** Where SK_MEMINFO_WMEM_ALLOC is in what SO_MEMINFO gives (include/uapi/linux/sock_diag.h, Linux 4.12). */
const WMEM_ALLOC = 8;
const MEMINFO_SIZE = 36;

/**
 * The connections whose peers are slow: something waits in the kernel to be sent to them. On the others the server itself has nothing to send.
 *
 * @param libc libc.
 * @param fds Which to look at.
 * @param isTcp Whether they are of TCP.
 */
export function outgoingSockets(libc: Libc, fds: readonly number[], isTcp: boolean): number[] {
  // One for all: there may be thousands.
  const info = new Uint8Array(isTcp ? TCPI_NOTSENT_BYTES + 4 : MEMINFO_SIZE);
  const view = new DataView(info.buffer);
  const length = new Uint8Array(4);
  return fds.filter((fd) => {
    length[0] = info.length;
    const [level, name, at] = isTcp ? [SOL_TCP, TCP_INFO, TCPI_NOTSENT_BYTES] : [SOL_SOCKET, SO_MEMINFO, WMEM_ALLOC];
    return libc.getsockopt(fd, level, name, info, length) >= 0 && view.getUint32(at, true) > 0;
  });
}

/** In so many looks in a row a connection must have had nothing to send: a response of known length may be between two parts of it. */
const idleLooks = 3;
/** After so many more, a runtime that has not closed it by then has not understood. */
const cutLooks = 8;

/** struct linger: on, for no time. */
const noLinger = new Uint8Array(Int32Array.of(1, 0).buffer);

/**
 * Lets a server read the end of a connection, so that it closes it, and makes that a reset, where the transport has one: HTTP/1.0 takes a plain
 * end for that of the body.
 */
function reset(libc: Libc, fd: number): void {
  libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, noLinger, noLinger.length);
  libc.shutdown(fd, SHUT_RD);
}

/**
 * Cuts off, at the end of a server that does not tell its connections, those that may never end by themselves: streams, and those that have sent
 * half a request. A response whose client reads slowly goes on.
 */
export class Cutter {
  readonly #clients: Clients;
  #idle: ReadonlyMap<number, number> = new Map();

  /** @param clients The server's connections; nothing more is accepted. */
  constructor(clients: Clients) {
    this.#clients = clients;
  }

  /**
   * A look, after which some are cut off.
   *
   * @param isBusy Whether a connection with this port at the peer's end has a request under way that ends by itself.
   */
  look(isBusy: (port: number) => boolean): void {
    const { libc, listener } = this.#clients;
    const isTcp = listener.transport === "tcp";
    const fds = this.#clients.sockets();
    const outgoing = new Set(outgoingSockets(libc, fds, isTcp));
    const idle = new Map<number, number>();
    for (const fd of fds) {
      if (outgoing.has(fd) || (isTcp && isBusy(peerPort(libc, fd)))) continue;
      const looks = (this.#idle.get(fd) ?? 0) + 1;
      idle.set(fd, looks);
      if (looks === idleLooks) reset(libc, fd);
      else if (looks === cutLooks) cut(libc, fd);
    }
    this.#idle = idle;
  }
}
