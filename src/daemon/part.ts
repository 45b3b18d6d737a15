import type { Clock } from "../time/clock.ts";
import { untilQuiet } from "../time/waiting.ts";
import type { Address, Connection, Listener } from "../types.ts";
import type { Served } from "./daemon_host.ts";

/** One thing that a daemon serves with. */
export interface Part {
  /** Whether the service manager passed its socket. */
  readonly activated: boolean;
  /** Where it listens. */
  readonly addresses: readonly Address[];
  /** What serves underneath; `undefined` for a listener. */
  readonly engine: string | undefined;
  /** Whether somebody is connected, or waits for an answer. */
  isBusy(): boolean;
  /** How many came until now: what was there between two looks is seen by it. */
  visits(): number;
  /** Stops accepting before it returns; settles when what was in flight has ended. */
  stop(): Promise<void>;
  /** Cuts off what is left. */
  cut(): void;
}

/** A server of `serve()`, `attach()` or `serveNative()`, which drains itself and cuts off what is left in time. */
export class ServerPart implements Part {
  readonly #served: Served;

  constructor(served: Served) {
    this.#served = served;
  }

  get activated(): boolean {
    return this.#served.server.activated;
  }

  get addresses(): readonly Address[] {
    return [this.#served.server.address];
  }

  get engine(): string {
    return this.#served.server.engine;
  }

  isBusy(): boolean {
    const { traffic } = this.#served;
    // Where nobody knows the connections, the requests are all there is.
    return traffic.inFlight() > 0 || traffic.streams() > 0 || (traffic.connections() ?? 0) > 0;
  }

  visits(): number {
    return this.#served.traffic.handled();
  }

  stop(): Promise<void> {
    return this.#served.server.shutdown();
  }

  cut(): void {}
}

/** A listener that knows its open connections. */
export class ListenerPart implements Listener, Part {
  readonly engine = undefined;
  readonly #listener: Listener;
  readonly #clock: Clock;
  readonly #open: Set<Connection> = new Set();
  readonly #onEnd: (part: ListenerPart) => void;
  #isClosed = false;
  #visits = 0;
  #isCut = false;

  /** @param onEnd Told, once, that it is closed and has no connection any more. */
  constructor(listener: Listener, clock: Clock, onEnd: (part: ListenerPart) => void = () => {}) {
    this.#listener = listener;
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  get address(): Address {
    return this.#listener.address;
  }

  get addresses(): readonly Address[] {
    return this.#listener.addresses;
  }

  get activated(): boolean {
    return this.#listener.activated;
  }

  get name(): string | undefined {
    return this.#listener.name;
  }

  async close(): Promise<void> {
    await this.#listener.close();
    this.#isClosed = true;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#isClosed && !this.isBusy()) this.#onEnd(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Connection> {
    for await (const connection of this.#listener) {
      this.#count(connection);
      yield connection;
    }
  }

  #count(connection: Connection): void {
    this.#visits++;
    this.#open.add(connection);
    connection.closed.then(() => {
      this.#open.delete(connection);
      this.#tellEnd();
    });
    // Time was up before it was asked for.
    if (this.#isCut) void connection.close();
  }

  isBusy(): boolean {
    // Those that the runtime accepted and nobody asked for yet: listeners of fd3 tell them.
    const { waiting = 0 } = this.#listener as { waiting?: number };
    return this.#open.size > 0 || waiting > 0;
  }

  visits(): number {
    return this.#visits;
  }

  async stop(): Promise<void> {
    await this.#listener.close();
    // What was accepted by then comes to who iterates in the next turns of the event loop.
    await untilQuiet(this.#clock, () => !this.isBusy(), () => this.#isCut);
  }

  cut(): void {
    this.#isCut = true;
    for (const connection of this.#open) void connection.close();
  }
}
