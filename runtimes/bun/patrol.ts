import { EPOLLET } from "../../src/linux/constants.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { readableSockets } from "../../src/linux/accepted.ts";
import { isStill, rearm, type Registration } from "../../src/linux/epoll.ts";

/** How often to try again while clients wait that could not be accepted. */
const shortestMs = 250;
/** How often to look whether any do. */
const longestMs = 2000;

/**
 * Keeps `Bun.serve()` and Bun's servers of Node's modules from spinning when the descriptors run out. Bun watches a listener level-triggered, so a client that cannot be
 * accepted wakes it up again at once, forever. Watched edge-triggered it is told once per client, and again when this
 * renews the registration: nobody tells when one of their connections opens or closes, so this looks whether clients wait, seldom
 * while none does. Remove it when Bun backs off by itself (seen in 1.4.5).
 */
export class Patrol {
  readonly #libc: Libc;
  readonly #registration: Registration;
  #delay = shortestMs;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins.
   *
   * @param libc libc.
   * @param registration How Bun watches the listener, edge-triggered or not.
   */
  constructor(libc: Libc, registration: Registration) {
    this.#libc = libc;
    this.#registration = registration;
    this.#wait();
  }

  /** The listener is closed. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#look(), this.#delay);
    // The server keeps the process alive, not this.
    (this.#timer as unknown as { unref(): void }).unref();
  }

  #look(): void {
    const { fd } = this.#registration.entry;
    // Should it have been closed behind our back, the number is another's, whom this must not meddle with.
    if (!isStill(this.#libc, this.#registration)) return;
    const clientsWait = readableSockets(this.#libc, [fd]).length > 0;
    if (clientsWait) rearm(this.#libc, this.#registration, EPOLLET);
    this.#delay = clientsWait ? shortestMs : Math.min(2 * this.#delay, longestMs);
    this.#wait();
  }
}
