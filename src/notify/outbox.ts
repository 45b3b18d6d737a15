import type { NotifyHost } from "./host.ts";

/** A message, and how to send it. */
export interface Outgoing {
  readonly lines: readonly string[];
  /** Whether later lines of the same fields may take the place of its own, and no line matters if the service manager reads nothing. */
  readonly isPassing: boolean;
  /**
   * Tries to send these lines now.
   *
   * @throws What is wrong, where it can never be sent.
   * @returns `true` if they have left, `false` if there is no room, or a promise where it takes time.
   */
  send(lines: readonly string[]): boolean | Promise<void>;
  /** Keeps what it needs until it has left; gives what lets go of it. */
  keep?(): () => void;
  /** Of a barrier, which comes after all that was said before: why it is too late to send it. */
  tooLate?(): Error | undefined;
}

interface Waiting {
  readonly message: Outgoing;
  readonly release: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How long to wait between two tries, at first and at most, in milliseconds: no runtime polls a socket of libc's. */
const [firstNapMs, longestNapMs] = [1, 20];

const fieldOf = (line: string) => line.slice(0, line.indexOf("="));

/**
 * What has not left yet, in the order in which it was said. A service manager that does not read delays it, and nothing else: of what may be
 * lost, a status or a ping, the latest is kept and no more.
 */
export class Outbox {
  readonly #after: NotifyHost["after"];
  readonly #queue: Waiting[] = [];
  /** The latest line of each field that may be lost, and how to send them. */
  readonly #passing: Map<string, string> = new Map();
  #lastPassing: Outgoing | undefined;
  #isSending = false;
  #nap = firstNapMs;
  #cancelNap: (() => void) | undefined;

  /** @param after Calls back once, and does not keep the process alive for it. */
  constructor(after: NotifyHost["after"]) {
    this.#after = after;
  }

  /**
   * Sends a message, before this returns if there is room.
   *
   * @returns `true` if it has left, or is kept as what may be lost; else a promise that settles when it has left.
   */
  push(message: Outgoing): true | Promise<true> {
    const isFree = this.#queue.length === 0 && !this.#isSending;
    if (!message.isPassing) {
      // It says all this anew, and later.
      for (const line of message.lines) this.#passing.delete(fieldOf(line));
      const isFirst = isFree && (message.tooLate === undefined || this.#passing.size === 0);
      return isFirst ? this.#first(message) : this.#wait(message);
    }
    return isFree && this.#passing.size === 0 ? this.#first(message) : this.#pass(message);
  }

  /** Nothing is before it. */
  #first(message: Outgoing): true | Promise<true> {
    const sent = message.send(message.lines);
    if (sent === true) return true;
    if (sent === false) return message.isPassing ? this.#pass(message) : this.#wait(message);
    return this.#follow(sent).then(() => true as const);
  }

  #pass(message: Outgoing): true {
    for (const line of message.lines) this.#passing.set(fieldOf(line), line);
    this.#lastPassing = message;
    this.#plan();
    return true;
  }

  #wait(message: Outgoing): Promise<true> {
    const release = message.keep?.() ?? (() => {});
    // A nap that does not keep the process alive ends here. One that does is not put off, however many messages come.
    if (!this.#mustWait()) {
      this.#cancelNap?.();
      this.#cancelNap = undefined;
    }
    if (message.tooLate !== undefined) this.#holdPassing();
    const waiting = new Promise<void>((resolve, reject) => this.#queue.push({ message, release, resolve, reject }));
    this.#plan();
    return waiting.then(() => true as const);
  }

  /** Whether something waits that must arrive. */
  #mustWait(): boolean {
    return this.#queue.some(({ message }) => !message.isPassing);
  }

  /** What may be lost waits in the queue, too, where a barrier comes after it. */
  #holdPassing(): void {
    for (const line of this.#passing.values()) {
      const message: Outgoing = { ...this.#lastPassing!, lines: [line] };
      this.#queue.push({ message, release() {}, resolve() {}, reject() {} });
    }
    this.#passing.clear();
  }

  /** Nothing else is sent until this is. */
  #follow(sent: Promise<void>): Promise<void> {
    this.#isSending = true;
    return sent.finally(() => {
      this.#isSending = false;
      this.#flush();
    });
  }

  #plan(): void {
    if (this.#isSending || this.#cancelNap !== undefined) return;
    const wake = () => {
      this.#cancelNap = undefined;
      this.#nap = Math.min(2 * this.#nap, longestNapMs);
      this.#flush();
    };
    if (!this.#mustWait()) {
      this.#cancelNap = this.#after(this.#nap, wake);
      return;
    }
    // What must arrive keeps the process alive.
    const timer = setTimeout(wake, this.#nap);
    this.#cancelNap = () => clearTimeout(timer);
  }

  /** Rejects those for which it is too late, wherever they stand. */
  #giveUp(): void {
    for (const waiting of [...this.#queue]) {
      const error = waiting.message.tooLate?.();
      if (error === undefined) continue;
      this.#queue.splice(this.#queue.indexOf(waiting), 1);
      waiting.reject(error);
      waiting.release();
    }
  }

  /** Sends what there is room for. */
  #flush(): void {
    this.#giveUp();
    while (!this.#isSending && (this.#queue.length > 0 ? this.#sendNext() : this.#sendPassing()));
    if (this.#queue.length > 0 || this.#passing.size > 0) this.#plan();
    else this.#nap = firstNapMs;
  }

  /** Gives whether there may be room for more. */
  #sendNext(): boolean {
    const { message, release, resolve, reject } = this.#queue[0];
    let sent: boolean | Promise<void>;
    try {
      sent = message.send(message.lines);
    } catch (error) {
      reject(error);
      sent = true;
    }
    if (sent === false) return false;
    this.#queue.shift();
    if (sent !== true) this.#follow(sent).then(resolve, reject);
    else resolve();
    release();
    return true;
  }

  /** A line in a message of its own: together they could be too long for one. */
  #sendPassing(): boolean {
    const [next] = this.#passing;
    if (next === undefined) return false;
    const [field, line] = next;
    let sent: boolean | Promise<void>;
    try {
      sent = this.#lastPassing!.send([line]);
    } catch {
      // It may be lost.
      sent = true;
    }
    if (sent === false) return false;
    this.#passing.delete(field);
    if (sent !== true) this.#follow(sent).catch(() => {});
    return true;
  }
}
