import type { OpenPart, StreamKind } from "../../../src/http/engine.ts";
import type { Address } from "../../../src/types.ts";
import type { Handler } from "../../../src/attach/types.ts";
import { abortResponse, HttpConnection, isEvents, nameOfMessage, type Owner } from "./connection.ts";
import type { HttpSocket, IncomingMessage, NodeHttpServer, ServerResponse } from "./types.ts";

/** The connections of a server of node:http: what is under way on them, and their graceful end. */
export class HttpConnections implements Owner {
  readonly #open = new Set<HttpConnection>();
  /** Where the server listens. */
  listener: Address = { transport: "unix", path: "" };
  #isClosing = false;
  #isEnding = false;
  #handled = 0;

  /** @param server The server; what it accepts from now on is known. */
  constructor(server: NodeHttpServer) {
    server.on("connection", (socket: HttpSocket) => this.#add(socket));
    // One of TLS counts from its acceptance on, also while hands are shaken; then another object stands for it (not on Bun).
    server.on("secureConnection", (socket: HttpSocket & { _parent?: HttpSocket | null }) => {
      const first = HttpConnection.of(socket._parent ?? socket);
      if (first !== undefined) this.#open.delete(first);
      this.#add(socket);
    });
  }

  /**
   * From now on it is known which connections somebody else's listeners upgrade. A server without a listener for upgrades takes them for plain
   * requests: so there is one of ours only beside another.
   */
  noteUpgrades(server: NodeHttpServer): void {
    for (const event of ["upgrade", "connect"]) {
      let isNoted = false;
      const note = () => {
        if (isNoted) return;
        isNoted = true;
        server.on(event, (incoming: IncomingMessage) => this.of(incoming).upgraded(incoming));
      };
      server.on("newListener", ((added: string) => added === event && note()) as Handler);
      if (server.listenerCount(event) > 0) note();
    }
  }

  /** Whether every response says `connection: close`, also those that no handler gives. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Whether each connection is ended as soon as its answers are complete. */
  get isEnding(): boolean {
    return this.#isEnding;
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

  /** How many requests came until now. */
  get handled(): number {
    return this.#handled;
  }

  /** Requests that have no whole answer yet, and end by themselves. */
  get inFlight(): number {
    let count = 0;
    for (const connection of this.#open) count += connection.pending - connection.streams.length;
    return count;
  }

  /** Responses of unknown length that a handler still writes, and connections that speak another protocol. */
  get streams(): number {
    let count = 0;
    for (const connection of this.#open) count += connection.streams.length + (connection.upgrade ? 1 : 0);
    return count;
  }

  /** How many have sent a request at least. */
  get asked(): number {
    let count = 0;
    for (const { requests } of this.#open) if (requests > 0) count++;
    return count;
  }

  /** How many owe us a request. */
  get unread(): number {
    let count = 0;
    for (const connection of this.#open) if (connection.isUnread) count++;
    return count;
  }

  /** What is open, by name. */
  get parts(): OpenPart[] {
    const parts: OpenPart[] = [];
    for (const connection of this.#open) {
      const streams = new Set(connection.streams);
      for (const outgoing of connection.responses) {
        parts.push({ is: streams.has(outgoing) ? "response" : "request", name: nameOfMessage(outgoing.req) });
      }
      if (connection.upgrade) parts.push({ is: "WebSocket", name: nameOfMessage(connection.upgrade) });
    }
    return parts;
  }

  #add(socket: HttpSocket): HttpConnection {
    // One that is read again is no new one; see read_again.ts.
    const connection = HttpConnection.of(socket) ?? new HttpConnection(socket, this);
    this.#open.add(connection);
    socket.on("close", () => this.#open.delete(connection));
    return connection;
  }

  /** The connection that a request came on. */
  of({ socket }: IncomingMessage): HttpConnection {
    return HttpConnection.of(socket) ?? this.#add(socket);
  }

  /** A request came. */
  began(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#handled++;
    this.of(incoming).began(outgoing);
  }

  /** Tells the handlers that still write that the server stops. */
  abortStreams(which: StreamKind): void {
    for (const connection of this.#open) {
      for (const outgoing of connection.streams) if (which === "all" || isEvents(outgoing)) abortResponse(outgoing);
    }
  }

  /** Ends what may never end. */
  endStreams(): void {
    for (const connection of this.#open) connection.endStreams();
  }

  /** Ends those that are idle now or have sent no whole request, and each other one as soon as its answers are complete. */
  end(): void {
    this.#isEnding = true;
    for (const connection of this.#open) connection.end();
  }

  /** Cuts all of them off. */
  destroy(): void {
    for (const { socket } of this.#open) socket.destroy();
  }
}
