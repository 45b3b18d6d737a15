import { clock } from "../time/clock.ts";
import { deadlineOf } from "../time/waiting.ts";
import { type Adapter, listenAllWith } from "../listen.ts";
import type { Address, ListenOptions } from "../types.ts";
import { drain } from "./drain.ts";
import type { Engine, Traffic } from "./engine.ts";
import type { Report } from "./exchanges.ts";
import type { EngineName, HttpServer, ServeOptions } from "./types.ts";
import type { WebSockets } from "./web_sockets.late.ts";

/** How long what is in flight may take, and how long what may never end, in milliseconds. */
const [defaultDrainTimeout, defaultStreamTimeout] = [30_000, 5000];

/** How long the handlers of WebSockets have for the end of these, once all connections are closed, in milliseconds. */
const closeHandlersMs = 1000;

/** How a server ends. */
export type EndOptions = Pick<ServeOptions, "signal" | "drainTimeout" | "streamTimeout" | "idleConnectionTimeout">;

/** Tells the people who run the service. */
export interface ServerLog {
  /** Of an error that no client is told. */
  readonly report: Report;
  /** Of what a stop waits for. */
  readonly note: (text: string) => void;
}

/** What a server is made of. */
export interface ServerParts {
  readonly engine: Engine;
  readonly activated: boolean;
  readonly name: string | undefined;
  readonly log: ServerLog;
  /** Those of `serve()`. */
  readonly webSockets?: WebSockets | undefined;
}

/** The parts of a server, and of each of its sockets. */
export interface OpenedParts<P extends ServerParts> extends ServerParts {
  readonly all: readonly P[];
}

/**
 * Opens what a server runs on: one socket, or with `all` one or more.
 *
 * @throws {Fd3Error} See {@linkcode Api.listen}.
 * @param adapter Makes the parts for one socket.
 * @param options What the caller gave.
 */
export async function openParts<P extends ServerParts>(
  adapter: Adapter<P>,
  options: ListenOptions,
): Promise<OpenedParts<P>> {
  const undo = async ({ engine }: P) => {
    engine.stopAccepting();
    engine.abort();
    await engine.finished;
  };
  const all = await listenAllWith({ ...adapter, undo }, options);
  const { engine, log, activated, name } = all[0];
  if (all.length === 1) return { engine, log, activated, name, all };
  const { JoinedEngine } = await import("./joined.late.ts");
  return { engine: new JoinedEngine(all.map(({ engine }) => engine)), log, activated, name, all };
}

/** A server on top of an engine: of `serve()`, `attach()` and `serveNative()`. */
export class EngineServer implements HttpServer {
  readonly #parts: ServerParts;
  readonly #options: EndOptions;
  readonly finished: Promise<void>;
  #finish: () => void = () => {};
  #ending: Promise<void> | undefined;
  #forgetSignal: () => void = () => {};

  /** @param options Without `idleConnectionTimeout`, the limits are those of the server itself. */
  constructor(parts: ServerParts, options: EndOptions) {
    const { engine } = parts;
    this.#parts = parts;
    this.#options = options;
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      engine.finished.then(() => {
        // What was attached may be closed by others, too.
        this.#forgetSignal();
        if (this.#ending === undefined) resolve();
      }, (error) => {
        this.#forgetSignal();
        // During a shutdown it is that which fails.
        if (this.#ending === undefined) reject(error);
      });
    });
    if (options.idleConnectionTimeout !== undefined) engine.closeIdle(options.idleConnectionTimeout);
    this.#heed(options.signal);
  }

  get address(): Address {
    return this.#parts.engine.address;
  }

  get addresses(): readonly Address[] {
    const { address, addresses = [address] } = this.#parts.engine;
    return addresses;
  }

  get activated(): boolean {
    return this.#parts.activated;
  }

  get name(): string | undefined {
    return this.#parts.name;
  }

  get engine(): EngineName {
    return this.#parts.engine.name as EngineName;
  }

  /** What is under way there. It is no part of the interface that users see: `daemon()` asks it. */
  get traffic(): Traffic {
    return this.#parts.engine;
  }

  #heed(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    // No caller awaits this one.
    const onAbort = () => void this.shutdown().catch(this.#parts.log.report);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#forgetSignal = () => signal.removeEventListener("abort", onAbort);
  }

  shutdown(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    const { engine, log, webSockets } = this.#parts;
    const { drainTimeout: drainMs = defaultDrainTimeout, streamTimeout: streamMs = defaultStreamTimeout } =
      this.#options;
    this.#forgetSignal();
    try {
      await drain({ engine, drainMs, streamMs, clock, log: (text) => log.note(`fd3: stopping: ${text}`) });
      if (webSockets === undefined) return;
      const told = deadlineOf(clock, closeHandlersMs, webSockets.ended());
      await told.over;
      told.cancel();
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
