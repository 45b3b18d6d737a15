/**
 * The parts of node:http and of @hono/node-server that fd3 uses, in shapes of our own.
 * https://nodejs.org/api/http.html
 */
import type { NetServer, NetSocket } from "../node_types.ts";

/** `net.Socket` or `tls.TLSSocket` of an HTTP server. */
export interface HttpSocket extends NetSocket {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Whether it is of TLS. */
  readonly encrypted?: boolean;
  /**
   * The response whose turn it is; nothing while no request is being answered. Node has no public name for it; its own
   * `closeIdleConnections()` asks the same (lib/_http_server.js).
   */
  readonly _httpMessage?: ServerResponse | null;
  /** Ends it once what was written is sent. */
  destroySoon(): void;
  /** Cuts it off with a reset; only on TCP, and without TLS. */
  resetAndDestroy?(): unknown;
  /** With 0, only whether something has come is looked at. */
  read(size: 0): unknown;
  off(event: string, listener: () => void): unknown;
  /** Puts something before what is to be read. */
  unshift(chunk: Uint8Array | string, encoding?: "latin1"): void;
}

/** `http.IncomingMessage`. */
export interface IncomingMessage {
  readonly socket: HttpSocket;
  readonly method?: string;
  readonly url?: string;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
}

/** `http.ServerResponse`. */
export interface ServerResponse {
  readonly headersSent: boolean;
  /** Whether the handler has written all of it. */
  readonly writableEnded: boolean;
  /** How much of it waits to be sent, in bytes. */
  readonly writableLength: number;
  /** What it answers. */
  readonly req?: IncomingMessage;
  /** Its head as it is sent. */
  readonly _header?: string | null;
  getHeader(name: string): unknown;
  /** `false` makes the response say `connection: close`. */
  shouldKeepAlive: boolean;
  on(event: "close" | "finish", listener: (this: ServerResponse) => void): unknown;
  /** Makes it a socket's, as the server does with each. */
  assignSocket(socket: HttpSocket): void;
  detachSocket(socket: HttpSocket): void;
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(text: string): unknown;
  destroy(): void;
}

/** `http.Server` or `https.Server`. */
export interface NodeHttpServer extends NetServer {
  closeAllConnections(): void;
  /** The limits of Node's own, in milliseconds: 0 is none. */
  headersTimeout: number;
  requestTimeout: number;
  keepAliveTimeout: number;
  ref(): unknown;
  unref(): unknown;
  listenerCount(event: string): number;
  emit(event: string, value: unknown): boolean;
  prependListener(event: "request", listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void): unknown;
}

/** What answers a request of node:http. */
export type NodeHttpListener = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/** `node:http` and `node:https`. */
export interface NodeHttpModule {
  createServer(options: object): NodeHttpServer;
  readonly ServerResponse: new (incoming: IncomingMessage) => ServerResponse;
}

/** What the adapter tells of a request besides. */
export interface HonoEnv {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** `@hono/node-server`. */
export interface HonoModule {
  getRequestListener(
    fetch: (request: Request, env: HonoEnv) => Response | Promise<Response>,
    options: {
      /** Puts the adapter's own light classes in the place of the global `Request` and `Response`. */
      readonly overrideGlobalObjects: boolean;
      /** The authority where the client gave none. It is asked at each request. */
      readonly hostname: string;
    },
  ): NodeHttpListener;
}
