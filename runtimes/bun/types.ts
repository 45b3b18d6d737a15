/**
 * The parts of the `Bun` namespace that fd3 uses, in shapes of our own: nobody needs Bun's types to use what fd3 declares.
 * https://bun.com/reference/bun/TCPSocket
 */

/** `Bun.Socket`. */
export interface BunSocket {
  /** Whatever its owner keeps with it. */
  data: unknown;
  /** The peer's IP address. */
  readonly remoteAddress?: string;
  /** The peer's port. */
  readonly remotePort?: number;
  /** Our IP address. */
  readonly localAddress?: string;
  /** Our port. */
  readonly localPort?: number;
  /** Gives how many bytes the kernel took; -1 if the socket is closed. */
  write(chunk: Uint8Array): number;
  /** Stops reading. */
  pause(): void;
  /** Starts reading again. */
  resume(): void;
  /** Sends our end. */
  shutdown(): void;
  /** Closes both sides now. */
  close(): void;
}

/** `Bun.SocketHandler`: any of them may be left out. */
export interface BunSocketHandlers {
  /** A connection was accepted. */
  open?(socket: BunSocket): void;
  /** Something arrived. */
  data?(socket: BunSocket, chunk: Uint8Array): void;
  /** The peer sent its end. */
  end?(socket: BunSocket): void;
  /** The kernel takes more. */
  drain?(socket: BunSocket): void;
  /** A handler threw. */
  error?(socket: BunSocket, error: Error): void;
  /** The connection is closed. */
  close?(socket: BunSocket, error?: Error): void;
  /** What chunks arrive as; `"buffer"` by default. */
  readonly binaryType?: string;
}

/** Options of `Bun.listen()` but for the address. */
export type BunListenOptions = Readonly<Record<string, unknown>>;

/** `Bun.TCPSocketListener` or `Bun.UnixSocketListener`: what `listenNative()` gives is one, with all of its other members. */
export interface BunListener {
  /** The descriptor; only Bun from 1.4 tells it. */
  readonly fd?: number;
  /** The port of a TCP listener. */
  readonly port?: number;
  /** The IP address of a TCP listener. */
  readonly hostname?: string;
  /** The path of a Unix listener. */
  readonly unix?: string;
  /** Stops accepting, and with `true` closes the connections. */
  stop(closeActiveConnections?: boolean): void;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** `Bun.SocketAddress`. */
export interface BunSocketAddress {
  /** The IP address. */
  readonly address: string;
  /** The port. */
  readonly port: number;
  /** Its family. */
  readonly family: "IPv4" | "IPv6";
}

/** `Bun.ServerWebSocket`: one that a handler gets, with all of its other members. */
export interface BunWebSocket {
  /** What was given to `server.upgrade()`. */
  data: unknown;
  /** The client's IP address. */
  readonly remoteAddress: string;
  /** Sends a message. */
  send(data: string | Uint8Array | DataView | ArrayBuffer, compress?: boolean): number;
  /** Sends a message to all others that are subscribed. */
  publish(topic: string, data: string | Uint8Array | DataView | ArrayBuffer, compress?: boolean): number;
  /** Ends it with a close frame. */
  close(code?: number, reason?: string): void;
  /** Cuts it off. */
  terminate(): void;
  /** Gets what is published for a topic from now on. */
  subscribe(topic: string): unknown;
  /** Gets it no more. */
  unsubscribe(topic: string): unknown;
}

/** What Bun takes for headers. */
export type BunHeaders = Headers | string[][] | Record<string, string | readonly string[]>;

/** `Bun.Server`: what `serveNative()` gives is one, with all of its other members. */
export interface BunServer extends Disposable {
  /** The port of the inherited socket; `undefined` for a Unix socket. */
  readonly port: number | undefined;
  /** The IP address of the inherited socket; `undefined` for a Unix socket. */
  readonly hostname: string | undefined;
  /** The URL that it serves. */
  readonly url: URL;
  /** Where it listens: an IP address, or a path. */
  readonly address: BunSocketAddress | string;
  /** `"http"` or `"https"`. */
  readonly protocol: "http" | "https" | null;
  /** Whether it answers errors with Bun's own page. */
  readonly development: boolean;
  /** What `bun --hot` knows it by. */
  readonly id: string;
  /** How many requests are in flight. */
  readonly pendingRequests: number;
  /** How many WebSockets are open. */
  readonly pendingWebSockets: number;
  /** Stops accepting and gives the inherited descriptor up; with `true`, it cuts off what is in flight. */
  stop(closeActiveConnections?: boolean): Promise<void>;
  /**
   * Stops accepting, finishes what is in flight, and ends, as that of `serve()` does; `stop()` is Bun's own way. Calling it again gives the
   * same promise.
   */
  shutdown(): Promise<void>;
  /** Puts other handlers and routes in the place of those that there are. */
  reload(options: object): BunServer;
  /** Calls the handler without a connection. */
  fetch(request: Request | string): Response | Promise<Response>;
  /** Makes a WebSocket of a request. */
  upgrade(request: Request, options?: { headers?: BunHeaders; data?: unknown }): boolean;
  /** Sends a message to all WebSockets that are subscribed to a topic. */
  publish(topic: string, data: string | Uint8Array | DataView | ArrayBuffer, compress?: boolean): number;
  /** How many are. */
  subscriberCount(topic: string): number;
  /** The client's end of a request; `null` on a Unix socket. */
  requestIP(request: Request): BunSocketAddress | null;
  /** Sets the idle timeout for a request, in seconds. */
  timeout(request: Request, seconds: number): void;
  /** Closes the connections that wait for another request; from Bun 1.4. */
  closeIdleConnections(): number;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** What `Bun.serve()` may be given for `websocket`. */
export interface BunWebSocketHandlers {
  /** A message came. */
  message?(socket: BunWebSocket, message: string | Uint8Array): void | Promise<void>;
  /** One was opened. */
  open?(socket: BunWebSocket): void | Promise<void>;
  /** It takes more. */
  drain?(socket: BunWebSocket): void | Promise<void>;
  /** It is closed. */
  close?(socket: BunWebSocket, code: number, reason: string): void | Promise<void>;
  /** A ping came. */
  ping?(socket: BunWebSocket, data: Uint8Array): void | Promise<void>;
  /** The answer to a ping came. */
  pong?(socket: BunWebSocket, data: Uint8Array): void | Promise<void>;
  /** A handler failed. */
  error?(error: Error, socket: BunWebSocket): void | Promise<void>;
  /** What the type of `socket.data` is told by; it has no effect. */
  readonly data?: unknown;
  /** The longest message, in bytes. */
  readonly maxPayloadLength?: number;
  /** How much may wait to be sent, in bytes. */
  readonly backpressureLimit?: number;
  /** Whether one that lets more wait is closed. */
  readonly closeOnBackpressureLimit?: boolean;
  /** After how many seconds of silence one is closed. */
  readonly idleTimeout?: number;
  /** Whether one gets what it publishes itself. */
  readonly publishToSelf?: boolean;
  /** Whether pings are sent. */
  readonly sendPings?: boolean;
  /** Whether and how messages are compressed. */
  readonly perMessageDeflate?: unknown;
}

/** The options of `Bun.serve()` but for the address. https://bun.com/docs/runtime/http/server */
export interface BunServeOptions {
  /** Answers a request that no route answers. */
  fetch?(
    this: BunServer,
    request: Request,
    server: BunServer,
  ): Response | undefined | void | Promise<Response | undefined | void>;
  /** Responses, files, folders and handlers by path. */
  readonly routes?: Readonly<Record<string, unknown>>;
  /** The handlers of WebSockets, which `server.upgrade()` makes. */
  readonly websocket?: BunWebSocketHandlers;
  /** Certificates and keys. */
  readonly tls?: unknown;
  /** Answers a request whose handler failed. */
  error?(this: BunServer, error: Error): Response | undefined | void | Promise<Response | undefined | void>;
  /** Whether errors are shown to clients. */
  readonly development?: unknown;
  /** After how many seconds of silence a connection is closed; Bun's own default is 10. */
  readonly idleTimeout?: number;
  /** The largest body of a request, in bytes. */
  readonly maxRequestBodySize?: number;
  /** Any other, such as `http2`. */
  readonly [option: string]: unknown;
}

/** `Bun`. */
export interface BunNamespace {
  readonly isMainThread: boolean;
  listen(options: object): BunListener;
  serve(options: object): BunServer;
}

/** The global `Bun`. */
export function bun(): BunNamespace {
  return (globalThis as unknown as { Bun: BunNamespace }).Bun;
}
