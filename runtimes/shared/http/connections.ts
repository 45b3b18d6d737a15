import type { Address } from "../../../src/types.ts";
import type { HttpSocket, IncomingMessage, NodeHttpServer, ServerResponse } from "./types.ts";
import { socketAddress } from "../net_connection.ts";

const key: unique symbol = Symbol("fd3.connection");

type Marked<T> = T & { [key]?: HttpConnection };

/**
 * One connection, and how far its requests are.
 *
 * What is under way is asked of the socket. Only where the socket does not tell it, and while the server ends, is a response watched:
 * that costs each request something.
 */
class HttpConnection {
  readonly socket: HttpSocket;
  readonly #all: HttpConnections;
  /** How many requests have come. */
  requests = 0;
  #watched = 0;
  /** How many bytes had come when it was idle last, as far as that was looked at. */
  #bytesAnswered = Infinity;

  constructor(socket: HttpSocket, all: HttpConnections) {
    this.socket = socket;
    this.#all = all;
  }

  /** The response under way, if it is not watched. */
  get #current(): ServerResponse | undefined {
    const { _httpMessage: current } = this.socket;
    return current && !(key in current) ? current : undefined;
  }

  /** Requests that have no whole answer yet. */
  get pending(): number {
    return this.#watched + (this.#current === undefined ? 0 : 1);
  }

  /** Whether it owes us a request: it has sent none yet, or the beginning of one. */
  get isUnread(): boolean {
    if (this.pending > 0) return false;
    return this.requests === 0 || this.socket.bytesRead > this.#bytesAnswered;
  }

  /** A request came. */
  began(outgoing: ServerResponse): void {
    this.requests++;
    if (this.#all.isClosing) outgoing.shouldKeepAlive = false;
    // One that waits in a pipeline is not the socket's yet.
    if (this.#all.isClosing || this.socket._httpMessage !== outgoing) this.#watch(outgoing);
  }

  #watch(outgoing: ServerResponse): void {
    (outgoing as Marked<ServerResponse>)[key] = this;
    this.#watched++;
    outgoing.on("close", onAnswered);
  }

  answered(): void {
    this.#watched--;
    this.#bytesAnswered = this.socket.bytesRead;
    if (this.#all.isEnding) this.endIfIdle();
  }

  /** From now on it matters when its answers are complete. */
  startClosing(): void {
    const current = this.#current;
    if (current !== undefined) this.#watch(current);
    else if (this.pending === 0) this.#bytesAnswered = this.socket.bytesRead;
  }

  endIfIdle(): void {
    if (this.pending === 0 && !this.isUnread) this.socket.destroySoon();
  }

  /** Nobody waits any more for who has sent nothing at all. */
  end(): void {
    // On Bun, where nothing feeds the server, no byte is counted, and a request may have come since the last look.
    if (this.requests === 0 && this.socket.bytesRead === 0) this.socket.destroy();
    else this.endIfIdle();
  }

  // Made once for a connection, not for each of its requests.
  readonly remote = (): Address => {
    const { remoteAddress, remotePort } = this.socket;
    return socketAddress(this.#all.listener, remoteAddress, remotePort);
  };

  readonly local = (): Address => {
    const { listener } = this.#all;
    const { localAddress, localPort } = this.socket;
    return listener.transport === "tcp" ? socketAddress(listener, localAddress, localPort) : listener;
  };
}

/** One function for all answers. */
function onAnswered(this: ServerResponse): void {
  (this as Marked<ServerResponse>)[key]!.answered();
}

/** The connections of a server of node:http: what is under way on them, and their graceful end. */
export class HttpConnections {
  readonly #open = new Set<HttpConnection>();
  /** Where the server listens. */
  listener: Address = { transport: "unix", path: "" };
  #isClosing = false;
  /** Whether each connection is ended as soon as its answers are complete. */
  isEnding = false;

  /** @param server The server; what it accepts from now on is known. */
  constructor(server: NodeHttpServer) {
    server.on("connection", (socket: HttpSocket) => this.#add(socket));
    // One of TLS counts from its acceptance on, also while hands are shaken; then another object stands for it (not on Bun).
    server.on("secureConnection", (socket: HttpSocket & { _parent?: HttpSocket | null }) => {
      const parent = socket._parent ?? socket;
      const first = (parent as Marked<HttpSocket>)[key];
      if (first !== undefined) this.#open.delete(first);
      this.#add(socket);
    });
  }

  /** Whether every response says `connection: close`, also those that no handler gives. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  startClosing(): void {
    this.#isClosing = true;
    for (const connection of this.#open) connection.startClosing();
  }

  [Symbol.iterator](): Iterator<HttpConnection> {
    return this.#open.values();
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Requests that have no whole answer yet. */
  get pending(): number {
    let count = 0;
    for (const connection of this.#open) count += connection.pending;
    return count;
  }

  /** How many owe us a request. */
  get unread(): number {
    let count = 0;
    for (const connection of this.#open) if (connection.isUnread) count++;
    return count;
  }

  #add(socket: HttpSocket): HttpConnection {
    const connection = new HttpConnection(socket, this);
    (socket as Marked<HttpSocket>)[key] = connection;
    this.#open.add(connection);
    socket.on("close", () => this.#open.delete(connection));
    return connection;
  }

  /** The connection that a request came on. */
  of({ socket }: IncomingMessage): HttpConnection {
    return (socket as Marked<HttpSocket>)[key] ?? this.#add(socket);
  }

  /** Ends those that are idle now or have sent nothing yet, and each other one as soon as its answers are complete. */
  end(): void {
    this.isEnding = true;
    for (const connection of this.#open) connection.end();
  }

  /** Cuts all of them off. */
  destroy(): void {
    for (const { socket } of this.#open) socket.destroy();
  }
}
