import type { Address } from "../types.ts";
import { clock } from "../time/clock.ts";
import { drain } from "./drain.ts";
import type { Engine } from "./engine.ts";
import { defaultIdleTimeout } from "./idle.ts";
import type { Report, Responder } from "./responder.ts";
import { tellTraffic, type Traffic } from "./traffic.ts";
import type { EngineName, HttpServer, ServeOptions } from "./types.ts";

const defaultDrainTimeout = 30_000;

/** What a server is made of. */
export interface ServerParts {
  readonly engine: Engine;
  readonly responder: Responder;
  readonly activated: boolean;
  readonly name: string | undefined;
  readonly report: Report;
}

function trafficAt({ engine, responder }: ServerParts): Traffic {
  return {
    inFlight: () => Math.max(responder.running, engine.pending?.() ?? 0),
    connections: () => engine.connections(),
    unread: () => engine.unread(),
    handled: () => responder.handled,
  };
}

/** An {@linkcode HttpServer} on top of an engine. */
export class EngineServer implements HttpServer {
  readonly #parts: ServerParts;
  readonly #traffic: Traffic;
  readonly #drainTimeout: number;
  readonly finished: Promise<void>;
  #finish: () => void = () => {};
  #ending: Promise<void> | undefined;
  #forgetSignal: () => void = () => {};

  constructor(parts: ServerParts, options: ServeOptions) {
    const { engine } = parts;
    this.#parts = parts;
    this.#traffic = trafficAt(parts);
    this.#drainTimeout = options.drainTimeout ?? defaultDrainTimeout;
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      engine.finished.catch((error) => {
        this.#forgetSignal();
        // During a shutdown it is that which fails.
        if (this.#ending === undefined) reject(error);
      });
    });
    engine.closeIdle(options.idleConnectionTimeout ?? defaultIdleTimeout, () => this.#traffic.inFlight());
    tellTraffic(this, this.#traffic);
    this.#heed(options.signal);
  }

  get address(): Address {
    return this.#parts.engine.address;
  }

  get activated(): boolean {
    return this.#parts.activated;
  }

  get name(): string | undefined {
    return this.#parts.name;
  }

  get engine(): EngineName {
    return this.#parts.engine.name;
  }

  #heed(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    // Nobody awaits this one.
    const onAbort = () => void this.shutdown().catch(this.#parts.report);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#forgetSignal = () => signal.removeEventListener("abort", onAbort);
  }

  shutdown(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    const { engine, responder } = this.#parts;
    this.#forgetSignal();
    responder.startClosing();
    try {
      await drain({ engine, traffic: this.#traffic, timeoutMs: this.#drainTimeout, clock });
    } finally {
      this.#finish();
    }
  }

  ref(): void {
    this.#parts.engine.ref();
  }

  unref(): void {
    this.#parts.engine.unref();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}
