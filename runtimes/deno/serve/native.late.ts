import { ownOptions } from "../../../src/activation/choose.ts";
import { closing } from "../../../src/http/closing.ts";
import { Exchanges, isThenable } from "../../../src/http/exchanges.ts";
import { checkEndOptions } from "../../../src/http/options.ts";
import { EngineServer, openParts, type ServerParts } from "../../../src/http/server.ts";
import type { DrainOptions } from "../../../src/http/types.ts";
import type { Adapter } from "../../../src/listen.ts";
import { serverLog } from "../../../src/service/report.ts";
import type { ListenOptions } from "../../../src/types.ts";
import { fromDeno } from "../address.ts";
import { denoHost as host } from "../host.ts";
import { serviceHost } from "../service_host.ts";
import type { DenoAddress, DenoHttpServer, DenoServeHandler } from "../types.ts";
import { DenoEngine } from "./engine.ts";
import { adoptServing, openServing, type Tracked, type TrackedServer } from "./served.ts";
import type { DenoServeOptions } from "./start.ts";

/** Options of `serveNative()`: those of `listen()`, and those of `Deno.serve()` but for the address. */
export interface ServeNativeOptions extends ListenOptions, DrainOptions {
  /** The certificate, with its chain behind it, as PEM text: with it and `key`, https and HTTP/2. */
  readonly cert?: string;
  /** The private key, as PEM text. */
  readonly key?: string;
  /** As for `Deno.serve()`. */
  readonly keyFormat?: "pem";
  /** As for `Deno.serve()`: whether responses are compressed. */
  readonly automaticCompression?: boolean;
  /** As for `Deno.serve()`: makes the response to a request whose handler failed. */
  readonly onError?: (error: unknown) => Response | Promise<Response>;
  /** Called once, with where it listens. Without it, nothing is printed. */
  readonly onListen?: (address: DenoAddress) => void;
  /** Cuts everything off when it aborts, as for `Deno.serve()`. */
  readonly signal?: AbortSignal;
  /** As for `Deno.serve()`, for the fallback. */
  readonly reusePort?: boolean;
  /** As for `Deno.serve()`, for the fallback: the length of the accept queue. An inherited one keeps its own. */
  readonly tcpBacklog?: number;
}

const log = serverLog(() => serviceHost);

/** The user's handler, whose requests are known. What it throws is Deno's to answer, or `onError`'s. */
function track(handler: DenoServeHandler, options: ServeNativeOptions, own: DenoServeOptions): Tracked {
  const exchanges = new Exchanges();
  const closed = (response: Response) => exchanges.isClosing ? closing(response) : response;
  const { onError } = options;
  return {
    options: onError === undefined ? own : { ...own, onError: async (error: unknown) => closed(await onError(error)) },
    exchanges,
    handlerOf: (traffic) => (request, info) => {
      const finish = (response: Response) => {
        const whole = closed(response);
        traffic.sent(whole, request, info);
        return whole;
      };
      // What is no response, too, is Deno's to refuse.
      const check = (value: unknown) => value instanceof Response ? finish(value) : value as Response;
      exchanges.count();
      const result: unknown = handler(request, info);
      if (!isThenable(result)) return check(result);
      return exchanges.until(result, request, () => fromDeno(info.remoteAddr), check, rethrow);
    },
  };
}

function rethrow(error: unknown): never {
  throw error;
}

function checkServeOptions(options: ServeNativeOptions, handler: unknown): void {
  if (typeof handler !== "function") {
    throw new TypeError(`Cannot serve: handler is ${typeof handler}, not a function`);
  }
  for (const name of ["hostname", "port", "path", "cid"]) {
    if (!(name in Object(options))) continue;
    throw new TypeError(`Cannot serve: ${name} is given; the address is the inherited socket's, or fallback's`);
  }
  const { drainTimeout, streamTimeout } = Object(options);
  checkEndOptions("serve", { drainTimeout, streamTimeout });
}

function heed({ finished }: EngineServer, abort: () => void, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (signal.aborted) return abort();
  signal.addEventListener("abort", abort, { once: true });
  // It may be the signal of the process, which outlives many servers.
  const forget = () => signal.removeEventListener("abort", abort);
  finished.then(forget, forget);
}

/** A `Deno.HttpServer`, and what `daemon()` knows it by. */
export interface OwnServer {
  readonly native: DenoHttpServer;
  readonly server: EngineServer;
}

/** See `serveNative` of the entry point. */
export async function serveOwn(options: ServeNativeOptions, handler: DenoServeHandler): Promise<OwnServer> {
  checkServeOptions(options, handler);
  const { signal, onListen, drainTimeout, streamTimeout, ...own } = ownOptions(options);
  const tracked = track(handler, options, own);
  const adapter: Adapter<ServerParts & { served: TrackedServer }> = {
    host,
    adopt(choice) {
      const served = adoptServing(choice, tracked);
      return { served, engine: new DenoEngine(served), log, activated: true, name: choice.name };
    },
    async open(address, access) {
      const served = await openServing(address, access, tracked);
      return { served, engine: new DenoEngine(served), log, activated: false, name: undefined };
    },
  };
  const parts = await openParts(adapter, options);
  const [{ served: { server: native } }] = parts.all;
  const { engine } = parts;
  const abort = () => engine.abort();
  try {
    onListen?.(native.addr);
  } catch (error) {
    abort();
    throw error;
  }
  const server = new EngineServer(parts, { drainTimeout, streamTimeout });
  heed(server, abort, signal);
  // The object of the first socket speaks for all.
  Object.assign(native, {
    finished: engine.finished,
    shutdown: () => server.shutdown(),
    ref: () => server.ref(),
    unref: () => server.unref(),
  });
  return { native, server };
}
