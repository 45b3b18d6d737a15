import type { Address } from "../types.ts";
import type { Engine, OpenPart, StreamKind } from "./engine.ts";

/** The sum of what engines tell; `undefined` if one cannot. */
function sum(values: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    total += value;
  }
  return total;
}

/** The engines of several sockets as one: one drain for all. */
export class JoinedEngine implements Engine {
  readonly #engines: readonly Engine[];
  readonly finished: Promise<void>;

  constructor(engines: readonly Engine[]) {
    this.#engines = engines;
    this.finished = Promise.all(engines.map(({ finished }) => finished)).then(() => {});
  }

  get name(): string {
    return this.#engines[0].name;
  }

  get address(): Address {
    return this.#engines[0].address;
  }

  get addresses(): readonly Address[] {
    return this.#engines.map(({ address }) => address);
  }

  stopAccepting(): void {
    for (const engine of this.#engines) engine.stopAccepting();
  }

  inFlight(): number {
    return sum(this.#engines.map((engine) => engine.inFlight()))!;
  }

  streams(): number {
    return sum(this.#engines.map((engine) => engine.streams()))!;
  }

  connections(): number | undefined {
    return sum(this.#engines.map((engine) => engine.connections()));
  }

  unread(): number | undefined {
    return sum(this.#engines.map((engine) => engine.unread()));
  }

  handled(): number {
    return sum(this.#engines.map((engine) => engine.handled()))!;
  }

  open(): OpenPart[] {
    return this.#engines.flatMap((engine) => engine.open());
  }

  abortStreams(which: StreamKind): void {
    for (const engine of this.#engines) engine.abortStreams(which);
  }

  endStreams(): void {
    for (const engine of this.#engines) engine.endStreams();
  }

  closeIdle(limitMs: number): void {
    for (const engine of this.#engines) engine.closeIdle(limitMs);
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.close()));
  }

  abort(): void {
    for (const engine of this.#engines) engine.abort();
  }

  ref(): void {
    for (const engine of this.#engines) engine.ref();
  }

  unref(): void {
    for (const engine of this.#engines) engine.unref();
  }
}
