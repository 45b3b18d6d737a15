import { hasLibc } from "../../../src/host.ts";
import { EPOLLET } from "../../../src/linux/constants.ts";
import type { Libc } from "../../../src/linux/libc.ts";
import { findRegistration, rearm, type Registration } from "../../../src/linux/epoll.ts";
import { findSocket } from "../../../src/linux/transplant.ts";
import { withdraw } from "../../../src/linux/withdraw.ts";
import type { Address } from "../../../src/types.ts";
import { bunHost as host } from "../host.ts";
import { Patrol } from "../patrol.ts";

/** The listening socket under a server of Bun's, which can be taken away from it. */
export class ServeSocket {
  readonly #libc: Libc;
  readonly #registration: Registration;
  readonly #patrol: Patrol;
  #isOurs = true;

  /**
   * @param libc libc.
   * @param registration How Bun watches it, edge-triggered already.
   */
  constructor(libc: Libc, registration: Registration) {
    this.#libc = libc;
    this.#registration = registration;
    this.#patrol = new Patrol(libc, registration);
  }

  /** The server closes it. */
  forget(): void {
    this.#isOurs = false;
    this.#patrol.stop();
  }

  /** Nothing is accepted any more. The server goes on, and believes that it listens. */
  release(): void {
    if (!this.#isOurs) return;
    this.forget();
    withdraw(this.#libc, this.#registration);
  }
}

/** The socket of a server that opened its own; `undefined` where it cannot be found, and the server does with it what Bun does. */
export function findServeSocket(address: Address): ServeSocket | undefined {
  const libc = host.libc();
  if (!hasLibc(libc)) return undefined;
  try {
    const registration = findRegistration(libc, findSocket(libc, address));
    rearm(libc, registration, EPOLLET);
    return new ServeSocket(libc, registration);
  } catch {
    return undefined;
  }
}
