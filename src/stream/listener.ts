import type { Address, Connection, Listener } from "../types.ts";

/** What a listener is made of. */
export interface ListenerParts {
  readonly address: Address;
  readonly activated: boolean;
  readonly name: string | undefined;
  /** Stops accepting and gives up the descriptor; deletes the socket file if it is ours. */
  readonly stop: () => void | Promise<void>;
}

/** The parts that all listeners share. */
export abstract class BaseListener implements Listener {
  readonly #parts: ListenerParts;
  #closing: Promise<void> | undefined;
  #iterators = 0;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  get address(): Address {
    return this.#parts.address;
  }

  get addresses(): readonly Address[] {
    return [this.address];
  }

  get activated(): boolean {
    return this.#parts.activated;
  }

  get name(): string | undefined {
    return this.#parts.name;
  }

  /** Whether `close()` was called. */
  protected get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#stop();
  }

  async #stop(): Promise<void> {
    try {
      await this.#parts.stop();
    } finally {
      this.onClosed();
    }
  }

  /** Whether somebody is iterating. */
  protected get isIterated(): boolean {
    return this.#iterators > 0;
  }

  /** Called when nothing new can come, and when nobody iterates any more after that. */
  protected onClosed(): void {}

  /** The next connection; `undefined` after the last. */
  protected abstract next(): Promise<Connection | undefined>;

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Connection> {
    this.#iterators++;
    try {
      let connection: Connection | undefined;
      while ((connection = await this.next()) !== undefined) yield connection;
    } finally {
      this.#iterators--;
      if (this.isClosed) this.onClosed();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A listener whose runtime accepts by itself and pushes connections (Bun, node:net). */
export class PushListener extends BaseListener {
  readonly #queue: Connection[] = [];
  readonly #waiters: ((connection: Connection | undefined) => void)[] = [];
  #ended = false;

  /** How many were accepted and nobody asked for yet. It is no part of the listener's own interface: `daemon()` waits for them. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The runtime accepted this one. */
  push(connection: Connection): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#queue.push(connection);
    else waiter(connection);
  }

  protected override next(): Promise<Connection | undefined> {
    const connection = this.#queue.shift();
    if (connection !== undefined || this.#ended) return Promise.resolve(connection);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  protected override onClosed(): void {
    this.#ended = true;
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
    // Nobody will ask for these: an end is better for the client than to wait for ever.
    if (!this.isIterated) { for (const connection of this.#queue.splice(0)) void connection.close(); }
  }
}
