import type { Address, Connection, Listener } from "../types.ts";
import { BaseListener } from "./listener.ts";

/** One of several listeners, and whether it was asked for its next connection. */
interface Source {
  readonly listener: Listener;
  readonly connections: AsyncIterator<Connection>;
  isAsked: boolean;
}

/**
 * Several listeners as one. Each is asked for its next connection while somebody waits for one, so that at most one connection of each is
 * accepted that nobody has asked for.
 */
class JoinedListener extends BaseListener {
  readonly #sources: Set<Source>;
  readonly #queue: Connection[] = [];
  readonly #waiters: ((connection: Connection | undefined) => void)[] = [];
  readonly #addresses: readonly Address[];

  constructor(listeners: readonly Listener[]) {
    const [{ address, activated, name }] = listeners;
    const stop = async () => void await Promise.all(listeners.map((listener) => listener.close()));
    super({ address, activated, name, stop });
    this.#addresses = listeners.flatMap((listener) => listener.addresses);
    this.#sources = new Set(
      listeners.map((listener) => ({ listener, connections: listener[Symbol.asyncIterator](), isAsked: false })),
    );
  }

  override get addresses(): readonly Address[] {
    return this.#addresses;
  }

  /** How many were accepted and nobody asked for yet: see `PushListener`. */
  get waiting(): number {
    let count = this.#queue.length;
    for (const { listener } of this.#sources) count += (listener as { waiting?: number }).waiting ?? 0;
    return count;
  }

  protected override next(): Promise<Connection | undefined> {
    const connection = this.#queue.shift();
    if (connection !== undefined || this.#sources.size === 0) return Promise.resolve(connection);
    const next = new Promise<Connection | undefined>((resolve) => this.#waiters.push(resolve));
    for (const source of this.#sources) void this.#ask(source);
    return next;
  }

  async #ask(source: Source): Promise<void> {
    if (source.isAsked) return;
    source.isAsked = true;
    while (this.#waiters.length > 0) {
      const { done, value } = await source.connections.next();
      if (done === true) return this.#end(source);
      this.#give(value);
    }
    source.isAsked = false;
  }

  #give(connection: Connection): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter(connection);
    else if (this.isClosed && !this.isIterated) void connection.close();
    else this.#queue.push(connection);
  }

  /** This one has ended; with the last one, all has. */
  #end(source: Source): void {
    this.#sources.delete(source);
    if (this.#sources.size > 0) return;
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
  }

  protected override onClosed(): void {
    if (this.isIterated) return;
    // Nobody will ask for these: an end is better for the client than to wait for ever.
    for (const connection of this.#queue.splice(0)) void connection.close();
    for (const { connections } of this.#sources) void connections.return?.();
  }
}

/**
 * Several listeners as one.
 *
 * @param listeners At least one.
 */
export function joined(listeners: readonly Listener[]): Listener {
  return new JoinedListener(listeners);
}
