import type { Address } from "../types.ts";
import type { Libc } from "./libc.ts";
import { descriptorNumbers } from "./proc.ts";
import { decodeSockaddr, SOCKADDR_SIZE } from "./sockaddr.ts";

/** A socket of this process that has an address of its own. */
export interface OwnSocket {
  readonly fd: number;
  readonly address: Address;
}

/** What the address of a listener and those of its connections have in common. */
function keyOf(address: Address): string | number {
  return address.transport === "unix" ? address.path : address.port;
}

/** Gives the addresses of descriptors. Most of thousands have one and the same, which is decoded once. */
class Addresses {
  readonly #libc: Libc;
  readonly #bytes: Uint8Array = new Uint8Array(SOCKADDR_SIZE);
  readonly #length: Uint32Array = new Uint32Array(1);
  readonly #lengthBytes: Uint8Array = new Uint8Array(this.#length.buffer);
  #last: Uint8Array = new Uint8Array(0);
  #decoded: Address | undefined;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  of(fd: number): Address | undefined {
    this.#length[0] = SOCKADDR_SIZE;
    if (this.#libc.getsockname(fd, this.#bytes, this.#lengthBytes) < 0) return undefined;
    const length = this.#length[0];
    if (!this.#isLast(length)) {
      this.#last = this.#bytes.slice(0, length);
      this.#decoded = decodeSockaddr(this.#bytes, length);
    }
    return this.#decoded;
  }

  #isLast(length: number): boolean {
    if (this.#last.length !== length) return false;
    for (let i = 0; i < length; i++) if (this.#last[i] !== this.#bytes[i]) return false;
    return true;
  }
}

/** All sockets of this process, at one moment: a system call for each number, so that many servers better share one. */
export class Look {
  readonly #sockets: Map<string | number, OwnSocket[]> = new Map();

  /** @param libc libc. */
  constructor(libc: Libc) {
    const addresses = new Addresses(libc);
    for (const fd of descriptorNumbers(libc)) {
      const address = addresses.of(fd);
      if (address === undefined) continue;
      const key = keyOf(address);
      const others = this.#sockets.get(key);
      if (others === undefined) this.#sockets.set(key, [{ fd, address }]);
      else others.push({ fd, address });
    }
  }

  /** Those that may have come in at a listener: they have its port, or its path. */
  near(listener: Address): readonly OwnSocket[] {
    return this.#sockets.get(keyOf(listener)) ?? [];
  }
}

const current = new WeakMap<Libc, Look>();

/**
 * A look of now, for all who ask in one synchronous run: no runtime accepts anything before its end, and many servers may be stopped in it.
 *
 * @param libc libc.
 */
export function currentLook(libc: Libc): Look {
  let look = current.get(libc);
  if (look === undefined) {
    current.set(libc, look = new Look(libc));
    queueMicrotask(() => current.delete(libc));
  }
  return look;
}

/** How old a look may be that others have taken, in milliseconds: less than they are apart that one server takes. */
const recentMs = 5;

interface Taken {
  readonly look: Look;
  readonly until: number;
}

const taken = new WeakMap<Libc, Taken>();

/** The next {@linkcode recentLook} is a new one: what was accepted since the last must be in it. */
export function forgetLook(libc: Libc): void {
  taken.delete(libc);
}

/**
 * A look of just now, for who asks the same again and again: no older than 5 ms, or than the time that it took, which is as long where
 * there are thousands. A socket that was opened since is not in it, and one that is may be closed by now.
 *
 * @param libc libc.
 * @param now Milliseconds since some moment.
 */
export function recentLook(libc: Libc, now: () => number = () => performance.now()): Look {
  const begin = now();
  const last = taken.get(libc);
  if (last !== undefined && begin <= last.until) return last.look;
  const look = new Look(libc);
  const end = now();
  taken.set(libc, { look, until: end + Math.max(recentMs, end - begin) });
  return look;
}
