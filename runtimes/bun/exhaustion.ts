import { EPOLLET } from "../../src/linux/constants.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { findRegistration, rearm } from "../../src/linux/transplant.ts";

/** How often to look for a waiting client while connections are open. */
const rearmMs = 250;

/**
 * Keeps Bun from spinning when the descriptors run out. Bun watches a listener level-triggered, so a client that cannot be accepted
 * wakes it up again at once, forever. Edge-triggered it is told once per client; the clients that had to wait are
 * reported anew when the registration is renewed, which is done while connections are open: an open one is what a free descriptor
 * comes from. Remove this when Bun backs off by itself (seen in 1.4.5).
 */
export class ExhaustionGuard {
  readonly #rearm: () => void;
  #open = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @throws {Fd3Error} `ERR_FD3_TRANSPLANT` if the registration is not found; the listener works as before then.
   * @param libc libc.
   * @param fd The listener's descriptor, which Bun watches already.
   */
  constructor(libc: Libc, fd: number) {
    const registration = findRegistration(libc, fd);
    this.#rearm = () => void rearm(libc, registration, EPOLLET);
    this.#rearm();
  }

  /** A connection was accepted. */
  opened(): void {
    this.#open++;
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(this.#rearm, rearmMs);
    // The connections keep the process alive, not this.
    (this.#timer as unknown as { unref(): void }).unref();
  }

  /** A connection was closed. */
  closed(): void {
    this.#open--;
    if (this.#open > 0) return;
    this.#rearm();
    this.stop();
  }

  /** The listener is closed. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
