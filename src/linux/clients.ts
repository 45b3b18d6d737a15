import type { Address } from "../types.ts";
import { acceptedSockets } from "./accepted.ts";
import { SO_COOKIE, SOL_SOCKET } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { currentLook, forgetLook, type Look, recentLook } from "./look.ts";
import { isPeer } from "./silent.ts";
import { cut } from "./withdraw.ts";
import { listenFds } from "../activation/table.ts";
import { hasLibc, type Host } from "../host.ts";

/** Gives what tells a socket from all others that there are and were (SO_COOKIE, Linux 4.12); `undefined` where the kernel does not say. */
function cookies(libc: Libc): (fd: number) => bigint | undefined {
  const bytes = new Uint8Array(8);
  const value = new BigUint64Array(bytes.buffer);
  const length = new Uint8Array(4);
  return (fd) => {
    length[0] = bytes.length;
    return libc.getsockopt(fd, SOL_SOCKET, SO_COOKIE, bytes, length) < 0 ? undefined : value[0];
  };
}

/**
 * The connections of one server that does not tell them. Others in this process may have the same address at our end: those of a server that
 * was there before, which may be under way still, and those of the next one. Of two servers that share an address at one time, nobody knows
 * which accepted what.
 */
export class Clients {
  readonly libc: Libc;
  readonly #earlier: ReadonlySet<bigint>;
  #accepted: ReadonlySet<bigint> | undefined;
  /** Where the server listens. */
  listener: Address;

  /**
   * @param libc libc.
   * @param listener Where it will listen: a host name will do, and is replaced when the address is known.
   * @param isFirst Whether there can be no others yet, so that a start with one inherited socket need not look for them.
   */
  constructor(libc: Libc, listener: Address, isFirst = false) {
    this.libc = libc;
    // Its port, at any of our addresses.
    this.listener = listener.transport === "tcp" ? { ...listener, hostname: "::" } : listener;
    this.#earlier = isFirst ? new Set() : this.#cookiesNow();
    this.listener = listener;
  }

  #cookiesNow(): Set<bigint> {
    const cookieOf = cookies(this.libc);
    const found = acceptedSockets(this.libc, this.listener, currentLook(this.libc)).map(cookieOf);
    return new Set(found.filter((cookie) => cookie !== undefined));
  }

  /** Their descriptors. */
  sockets(look: Look = recentLook(this.libc)): readonly number[] {
    const fds = acceptedSockets(this.libc, this.listener, look);
    const [earlier, accepted] = [this.#earlier, this.#accepted];
    if (earlier.size === 0 && accepted === undefined) return fds;
    const cookieOf = cookies(this.libc);
    return fds.filter((fd) => {
      const cookie = cookieOf(fd);
      return cookie === undefined || (!earlier.has(cookie) && accepted?.has(cookie) !== false);
    });
  }

  /** Nothing more is accepted: who comes to this address from now on is another server's. */
  complete(): void {
    if (this.#accepted !== undefined) return;
    this.#accepted = this.#cookiesNow();
    // On a busy machine the last look may be from before the last client.
    forgetLook(this.libc);
  }

  /** Cuts off the one with this client. Gives whether there is such a one. */
  cutPeer(peer: Address): boolean {
    if (peer.transport !== "tcp") return false;
    const fd = this.sockets(currentLook(this.libc)).find((one) => isPeer(this.libc, one, peer));
    if (fd !== undefined) cut(this.libc, fd);
    return fd !== undefined;
  }

  /** Cuts all of them off. */
  cut(): void {
    for (const fd of this.sockets(currentLook(this.libc))) cut(this.libc, fd);
  }
}

/** The connections of a server that will listen at an address of its own; `undefined` without libc. */
export function clientsAt(host: Host, address: Address): Clients | undefined {
  const libc = host.libc();
  return hasLibc(libc) ? new Clients(libc, address) : undefined;
}

/**
 * Those of a server on an inherited socket. Where that alone was passed, nothing that came in at it can be in this process yet: a start
 * need not look.
 */
export function inheritedClients(host: Host, address: Address): Clients | undefined {
  const libc = host.libc();
  const isFirst = () => listenFds(host, { keepEnv: true }).length === 1;
  return hasLibc(libc) ? new Clients(libc, address, isFirst()) : undefined;
}
