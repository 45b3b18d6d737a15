import { formatAddress } from "../../../src/activation/address.ts";
import type { Clients } from "../../../src/linux/clients.ts";
import { systemError } from "../../../src/system_error.ts";
import type { Begun, Source } from "./source.ts";
import type { Started } from "./start.ts";
import { setUpSignals } from "../host.ts";
import { deno, type DenoHttpServer } from "../types.ts";

/** How long to wait for a free descriptor before starting again. */
const retryMs = 100;

/** How long Deno has to end once everything was cut off, in milliseconds. */
const cutMs = 100;

/**
 * How many runs are kept whose connections may still be open, as nothing tells when the last of them is closed. Older ones are shut down,
 * which ends those that are idle.
 */
const mostRuns = 256;

/**
 * A server that outlives `Deno.serve()`. Without a free descriptor accept(2) fails, and Deno's server ends for good, though
 * not its connections, which go on (Deno 2.3 to 2.9; before 2.8 it ends when the last of them is closed): then another
 * is started on the same socket.
 */
export class Serving {
  readonly source: Source;
  /** Its connections, where there is libc. */
  readonly clients: Clients | undefined;
  #runs: readonly Started[] = [];
  /** The run that accepts. */
  #current: Started | undefined;
  #timer: unknown;
  #cutTimer: unknown;
  #isRef = true;
  #isReleased = false;
  #isOver = false;
  #ending: Promise<void> | undefined;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};
  /** Settles when it has ended; rejects if it cannot go on. */
  readonly finished: Promise<void>;

  constructor(clients: Clients | undefined, { source, first }: Begun) {
    this.clients = clients;
    this.source = source;
    this.finished = new Promise((resolve, reject) => {
      this.#finish = () => {
        this.#isOver = true;
        clearTimeout(this.#cutTimer as number);
        resolve();
      };
      this.#fail = (error) => {
        this.#isOver = true;
        reject(error);
      };
    });
    // Deno sets up its signals half a second after the start, and panics if there is no descriptor left by then.
    setUpSignals();
    this.#adopt(first);
  }

  #adopt(run: Started): void {
    this.#runs = [...this.#runs, run];
    this.#current = run;
    if (!this.#isRef) run.unref();
    run.finished.then(() => this.#ended(run, false), () => this.#ended(run, true));
    if (this.#runs.length <= mostRuns) return;
    const [oldest, ...rest] = this.#runs;
    this.#runs = rest;
    oldest.shutdown().catch(() => {});
  }

  /** @param lives Whether its connections go on. */
  #ended(run: Started, lives: boolean): void {
    if (!lives) this.#runs = this.#runs.filter((other) => other !== run);
    if (run !== this.#current) return;
    this.#current = undefined;
    if (!this.#isReleased) this.#startLater();
  }

  #startLater(): void {
    this.#timer = setTimeout(() => void this.#startAgain(), retryMs);
    if (!this.#isRef) deno().unrefTimer(this.#timer);
  }

  async #startAgain(): Promise<void> {
    try {
      const run = await this.source.start();
      this.#adopt(run);
      // Nobody waited for this one.
      if (this.#isReleased) run.shutdown().catch(() => {});
    } catch (error) {
      if (this.#isReleased) return;
      if (this.source.canStartLater(error)) return this.#startLater();
      this.release();
      this.#fail(systemError(`serve on ${formatAddress(this.source.address)}`, error));
    }
  }

  /** Stops accepting. Connections go on, where the source can be given up without. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    clearTimeout(this.#timer as number);
    this.clients?.complete();
    this.source.release(this.#current);
  }

  /** Stops accepting, answers the requests that run, and ends, as Deno's own does. */
  shutdown(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    this.release();
    try {
      await Promise.all(this.#runs.map((run) => run.shutdown()));
      this.#finish();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Stops accepting, and cuts everything off. */
  abort(): void {
    // Who is at this address by then is another's.
    if (this.#isOver) return;
    if (this.clients !== undefined) {
      this.release();
      this.clients.cut();
      // A handler that never settles holds up Deno's own end for ever, also where its client is gone.
      this.#cutTimer = setTimeout(() => this.#finish(), cutMs);
    } else if (this.#isReleased) {
      // Deno's signal does nothing after its `shutdown()` but throw, into the void.
      this.#finish();
    } else {
      for (const run of this.#runs) run.cancel();
      this.release();
    }
    this.shutdown().catch(() => {});
  }

  ref(): void {
    this.#isRef = true;
    this.#current?.ref();
    if (this.#timer !== undefined) deno().refTimer(this.#timer);
  }

  unref(): void {
    this.#isRef = false;
    this.#current?.unref();
    if (this.#timer !== undefined) deno().unrefTimer(this.#timer);
  }
}

/** The object of a server's first run, made to speak for all of them. */
export function serverOf(serving: Serving, { server }: Started): DenoHttpServer {
  return Object.assign(server, {
    finished: serving.finished,
    shutdown: () => serving.shutdown(),
    ref: () => serving.ref(),
    unref: () => serving.unref(),
  });
}
