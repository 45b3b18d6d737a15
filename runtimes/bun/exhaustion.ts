import { EPOLLET } from "../../src/linux/constants.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { findRegistration, rearm, type Registration } from "../../src/linux/epoll.ts";

/** How often to look for a waiting client while connections are open. */
const renewMs = 250;

/**
 * Keeps Bun from spinning when the descriptors run out. Bun watches a listener level-triggered, so a client that cannot be accepted
 * wakes it up again at once, forever. Edge-triggered it is told once per client; the clients that had to wait are
 * reported anew when the registration is renewed, which is done while connections are open: an open one is what a free descriptor
 * comes from. Remove this when Bun backs off by itself (seen in 1.4.5).
 */
export class ExhaustionGuard {
  readonly #libc: Libc;
  readonly #fd: number;
  #registration: Registration | undefined;
  #open = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param libc libc.
   * @param fd The listener's descriptor, which Bun watches already.
   */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /** A connection was accepted. */
  opened(): void {
    // At the second one: early enough, and not on the way to the first answer.
    if (++this.#open === 2) this.#arm();
  }

  /** A connection was closed. */
  closed(): void {
    this.#open--;
    this.#renew();
    if (this.#open === 0) this.stop();
  }

  /** Nothing is open any more, or the listener is closed. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    try {
      this.#registration ??= findRegistration(this.#libc, this.#fd);
    } catch {
      // Without it everything works but for the spinning.
      return;
    }
    this.#renew();
    this.#timer ??= setInterval(() => this.#renew(), renewMs);
    // The connections keep the process alive, not this.
    (this.#timer as unknown as { unref(): void }).unref();
  }

  #renew(): void {
    if (this.#registration !== undefined) rearm(this.#libc, this.#registration, EPOLLET);
  }
}
