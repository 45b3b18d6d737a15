import type { DaemonHost } from "./daemon_host.ts";
import { detailsOf, messageOf } from "../service/failure.ts";
import type { Messages } from "./messages.ts";

/**
 * Reads the configuration again, one time after the other. What comes while it is being read asks for one more: that one reads what is
 * there then.
 */
export class Reloader {
  readonly #host: DaemonHost;
  readonly #messages: Messages;
  readonly #reload: (() => unknown) | undefined;
  /** Not before the daemon is ready. */
  #isOpen = false;
  #isWanted = false;
  #isRunning = false;
  #isOver = false;
  /** Whether the status tells of a failure. */
  #hasFailed = false;

  constructor(host: DaemonHost, messages: Messages, reload: (() => unknown) | undefined) {
    this.#host = host;
    this.#messages = messages;
    this.#reload = reload;
  }

  /** Whether it is at it. */
  get isBusy(): boolean {
    return this.#isRunning;
  }

  /** The daemon is ready: what was asked for by now is done. */
  open(): void {
    this.#isOpen = true;
    void this.#work();
  }

  /** The daemon stops: nothing is reloaded any more, and nothing is said of what is. */
  end(): void {
    this.#isOver = true;
  }

  /** Somebody asks for it. Without a `reload` nothing is to do, and a manager that waits for it (Type=notify-reload) hears so. */
  request(): void {
    this.#isWanted = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    if (!this.#isOpen || this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isWanted && !this.#isOver) {
      this.#isWanted = false;
      await this.#once();
    }
    this.#isRunning = false;
  }

  async #once(): Promise<void> {
    const messages = this.#messages;
    // Not awaited until it has left: what the manager thinks is no matter of the configuration. But it goes first, as a reload may block.
    void messages.send({ reloading: true });
    await Promise.resolve();
    let status: string | undefined;
    try {
      await this.#reload?.();
      if (this.#hasFailed) status = messages.status;
      this.#hasFailed = false;
    } catch (error) {
      this.#hasFailed = true;
      status = `Cannot reload, the old configuration is kept: ${messageOf(error)}`;
      this.#host.log("err", `Cannot reload: ${detailsOf(error)}`);
    }
    if (this.#isOver) return;
    await messages.send({ ready: true, status });
  }
}
