import type { Address, ListenOptions } from "../types.ts";
import type { UpgradeOptions, WebSocketHandlers } from "./web_socket_types.ts";

export type * from "./web_socket_types.ts";

/** What serves underneath: `Deno.serve()`, `Bun.serve()`, or a server of node:http. */
export type EngineName = "deno-serve" | "bun-serve" | "node-http";

/** What is known of a request besides itself. */
export interface ServeInfo {
  /** The client's end; a Unix client is usually unnamed. */
  readonly remoteAddress: Address;
  /** Our end. */
  readonly localAddress: Address;
  /**
   * Makes a WebSocket of the request, once the handler returns what this gives: until then it is a response like any other, and its headers
   * may be changed. What happens to the WebSocket is for the handlers in {@linkcode ServeOptions.websocket}. Who may have one, the handler
   * decides: a browser sends the `origin` of its page, whichever it is, and the cookies of the server.
   *
   * @throws {TypeError} If `serve()` was called without `websocket`, or the options choose a protocol that the client does not offer.
   * @param options Headers for the response, and what the WebSocket is to know of the request.
   * @returns A response with status 101; with 426 or 400 if the request does not ask for a WebSocket as RFC 6455 says.
   *
   * @example A WebSocket that says back what it is told
   * ```ts
   * import { serve } from "@fd3/fd3";
   *
   * const server = await serve((request, info) => {
   *   return new URL(request.url).pathname === "/echo" ? info.upgrade() : new Response("hello\n");
   * }, {
   *   fallback: "127.0.0.1:0",
   *   websocket: { message: (peer, message) => peer.send(message.rawData) },
   * });
   * await server.shutdown();
   * ```
   */
  upgrade(options?: UpgradeOptions): Response;
}

/** Answers one request. What it throws, or its promise rejects with, goes to {@linkcode ServeOptions.onError}. */
export type ServeHandler = (request: Request, info: ServeInfo) => Response | Promise<Response>;

/** Certificate and key, as PEM text. */
export interface TlsOptions {
  /** The certificate, with its chain behind it. */
  readonly cert: string;
  /** The private key. */
  readonly key: string;
}

/** How a server ends: options of `serve()`, `attach()` and `serveNative()`. */
export interface DrainOptions {
  /**
   * How long `shutdown()` waits for what is in flight, in milliseconds; after that it is cut off. `Infinity` waits for as long as it takes.
   * A client that has sent no request, or half of one, is waited for until no request has come for 5 s. Where neither the runtime nor the
   * kernel tells that there is such a client, which is so on Unix sockets with `deno-serve` and `bun-serve`, that is half a second.
   *
   * @default {30000}
   */
  readonly drainTimeout?: number;
  /**
   * How long `shutdown()` lets streams and WebSockets go on, in milliseconds; `Infinity` lets them until `drainTimeout`. A stream is a
   * response of unknown length that the handler still writes. Its `request.signal` aborts at the stop, so that the handler can end it: that of an
   * event stream at once, any other after a second. When the time is up, a WebSocket is closed with 1001 (going away), and the connection of a stream is cut off, so that no
   * body looks complete. A line on stderr says what was open.
   *
   * @default {5000}
   */
  readonly streamTimeout?: number;
}

/** Options of `serve()`. */
export interface ServeOptions extends ListenOptions, DrainOptions {
  /** Begins {@linkcode HttpServer.shutdown} when it aborts, or at once where it has. */
  readonly signal?: AbortSignal;
  /**
   * After how many milliseconds a connection is closed that does nothing: it has no request under way, be it that none was ever sent, only
   * the beginning of one, or that all are answered, and no byte has moved on it. `Infinity` closes none. It may take a quarter longer.
   *
   * Nothing else has a limit. From its headers to the end of its response a request may take as long as it takes: a handler that thinks, an
   * upload, a quiet event stream. A handler ends what takes too long for it, with `AbortSignal.timeout()`.
   *
   * Where an engine cannot tell that a connection does nothing, it stays open. `node-http` can tell of each. The two others ask the kernel,
   * which tells it of TCP alone: on Unix sockets they close none. `bun-serve` can tell of each. `deno-serve` can tell of connections that
   * have had no response yet: if they have sent nothing, or, without TLS, while no handler runs. Bun itself also closes a connection without
   * a whole request 10 to 14 s after it opened.
   *
   * The default is longer than most clients keep idle connections, such as 60 s (nginx) and 90 s (Go). With a shorter limit than the
   * client's, its next request may cross with the end of the connection, and is lost (RFC 9112, 9.5).
   *
   * @default {120000}
   */
  readonly idleConnectionTimeout?: number;
  /** Forces what serves underneath; what cannot be had is an error that says why. Without it, the fastest that can be had. */
  readonly engine?: EngineName;
  /** Serves https with these. `deno-serve` cannot on a Unix socket. */
  readonly tls?: TlsOptions;
  /**
   * What happens to the WebSockets that {@linkcode ServeInfo.upgrade} makes. They stand on the package crossws, which comes with fd3 and is
   * loaded when this is given; `node-http` on Deno needs `--allow-env=WS_NO_BUFFER_UTIL` for it. A message may have 16 MiB. Clients are
   * asked every 30 s whether they are there.
   */
  readonly websocket?: WebSocketHandlers;
  /** Makes the response to a request whose handler failed. Without it, 500 and the error on stderr, for the journal at priority `err`. */
  readonly onError?: (error: unknown) => Response | Promise<Response>;
  /** Called once, with where it listens. */
  readonly onListen?: (address: Address) => void;
}

/** A server that runs, on the inherited socket or at the fallback address. */
export interface RunningServer extends AsyncDisposable {
  /** Where it really listens; with several sockets, the first of {@linkcode RunningServer.addresses}. */
  readonly address: Address;
  /** Where it really listens, in the order of the sockets: several with `all`. */
  readonly addresses: readonly Address[];
  /** Whether the service manager passed the socket. */
  readonly activated: boolean;
  /** The name that the service manager gave it; `undefined` where it was opened here. */
  readonly name: string | undefined;
  /** Settles when the server has ended, after `shutdown()`; rejects if it ended by itself. */
  readonly finished: Promise<void>;
  /**
   * Stops accepting, finishes what is in flight, and ends. What was not accepted stays in the queue of an inherited socket, for
   * the next instance. Clients that were accepted get the answer to what they send yet, with `connection: close`. Calling it again
   * gives the same promise.
   */
  shutdown(): Promise<void>;
  /** Keeps the process alive, as it does from the start. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** A running HTTP server. */
export interface HttpServer extends RunningServer {
  /** What serves underneath. */
  readonly engine: EngineName;
}
