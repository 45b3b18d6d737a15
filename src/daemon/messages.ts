import type { NotifyState } from "../notify/types.ts";
import type { DaemonHost } from "./daemon_host.ts";

/** How far messages with nothing but a new status are apart, in milliseconds: a status may be set for each request. */
const statusMs = 100;
/** How long the first one waits for READY=1, so that it is nothing more on the way to the first answer. */
const firstStatusMs = 500;

/**
 * What a daemon says to its service manager, in this order, whatever way the messages take. One that cannot be sent is logged, once for each
 * reason, and changes nothing else.
 */
export class Messages {
  readonly #host: DaemonHost;
  readonly #logged: Set<string> = new Set();
  /** What has not left yet: a manager that reads nothing delays what must arrive, and that alone. */
  readonly #pending: Set<Promise<void>> = new Set();
  /** Nobody listens. */
  #isMuted = false;
  #isOpen = false;
  /** The last status, for who has said another in between. */
  #status = "";
  /** Whether it was not sent yet. */
  #isNew = false;
  /** When the last message left. Nothing is timed before: the first look at the clock takes Node 0.8 ms of the start. */
  #lastSent: number | undefined;
  #isPlanned = false;

  constructor(host: DaemonHost) {
    this.#host = host;
  }

  /** The status that was set last. */
  get status(): string {
    return this.#status;
  }

  /** From now on a new status goes out by itself, soon. */
  open(): void {
    this.#isOpen = true;
    if (this.#isNew) this.#plan();
  }

  /** From now on it does not any more. */
  end(): void {
    this.#isOpen = false;
  }

  /** Sets the status. */
  setStatus(text: string): void {
    this.#status = statusLine(String(text));
    this.#isNew = true;
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned || this.#isMuted || !this.#isOpen) return;
    const now = this.#host.now();
    this.#lastSent ??= now + firstStatusMs - statusMs;
    const left = this.#lastSent + statusMs - now;
    if (left <= 0) return void this.send({});
    this.#isPlanned = true;
    this.#host.after(left, () => {
      this.#isPlanned = false;
      if (this.#isNew && this.#isOpen) void this.send({});
    });
  }

  /** Sends a message; settles when it has left. A new status goes with it. */
  send(state: NotifyState): Promise<void> {
    const { status: own } = state;
    const status = own !== undefined ? statusLine(own) : this.#isNew ? this.#status : undefined;
    this.#isNew = false;
    this.#lastSent = this.#host.now();
    // Not before the caller has done the rest, and in this turn of the event loop all the same.
    const sent = Promise.resolve().then(() => this.#deliver({ ...state, status } as NotifyState));
    this.#pending.add(sent);
    return sent.finally(() => this.#pending.delete(sent));
  }

  /** Settles when all has left. */
  async flush(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #deliver(state: NotifyState): Promise<void> {
    if (this.#isMuted) return;
    try {
      if (!await this.#host.notify(state)) this.#isMuted = true;
    } catch (error) {
      const { message } = error as Error;
      if (this.#logged.has(message)) return;
      this.#logged.add(message);
      this.#host.log("err", `fd3: ${message}`);
    }
  }
}

/** As much as leaves room for a few more fields in the message. */
const mostBytes = 2048;

/**
 * Any text as a status: one line, cut where it is too long for a message with a few more fields in it.
 *
 * @param text Such as the message of an error.
 */
export function statusLine(text: string): string {
  let flat = "";
  // One line after the other, without the blanks around it, and no more of them than are shown: the text may be of any length, and a
  // blank before a break in the expression would make the time quadratic.
  for (const [line] of text.matchAll(/[^\s\0][^\n\r\0]*/g)) {
    flat += (flat === "" ? "" : " ") + line.trimEnd();
    // No character has less than a byte.
    if (flat.length > mostBytes) break;
  }
  let bytes = 0;
  let end = 0;
  for (const character of flat) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > mostBytes) return `${flat.slice(0, end)}…`;
    end += character.length;
  }
  return flat;
}
