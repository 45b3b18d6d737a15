import { type OpenPart, stopReason, type StreamKind, type Traffic } from "../../../src/http/engine.ts";
import { type Exchanges, nameOf } from "../../../src/http/exchanges.ts";
import type { Clients } from "../../../src/linux/clients.ts";
import { unreadConnections } from "../../../src/linux/handshake.ts";
import { Cutter, outgoingSockets } from "../../../src/linux/outgoing.ts";
import type { BunServer, BunWebSocket } from "../types.ts";

/** How many requests are kept at least before those that are over are sorted out. */
const fewest = 64;

/** "Going away" (RFC 6455, 7.4.1). */
const goingAway = 1001;

/** How long a WebSocket's client has to answer the close frame, in milliseconds. */
const closeMs = 1000;

/**
 * Aborts a signal of Bun's, for all that listen to it or look at it. Bun has no other way, but to end the connection: so what Bun itself does with
 * a signal, such as `fetch()`, goes on until then.
 */
function abortSignal(signal: AbortSignal): void {
  if (signal.aborted) return;
  const reason = stopReason();
  const throwIfAborted = () => {
    throw reason;
  };
  Object.defineProperties(signal, {
    aborted: { configurable: true, value: true },
    reason: { configurable: true, value: reason },
    throwIfAborted: { configurable: true, value: throwIfAborted },
  });
  signal.dispatchEvent(new Event("abort"));
}

/** A WebSocket. */
interface OpenSocket {
  readonly name: string | undefined;
  /** That of the client, where it is known. */
  readonly port?: number | undefined;
}

/** What is under way at a server of `Bun.serve()`, and how what never ends is ended. */
export class BunTraffic implements Traffic {
  readonly exchanges: Exchanges;
  readonly clients: Clients | undefined;
  readonly #isTls: boolean;
  readonly #cutter: Cutter | undefined;
  #pending: () => number = () => 0;
  #addressOf: BunServer["requestIP"] = () => null;
  /** All that are under way on TCP, and some that are over; on a Unix socket the event streams, and some that are over. */
  #kept: Request[] = [];
  #most = fewest;
  readonly #sockets: Map<BunWebSocket, OpenSocket> = new Map();
  /** The ports of clients that have asked something, with TLS. */
  readonly #asked: Set<number | undefined> = new Set();
  /** Whether Bun answers some requests by itself, so that nobody knows of them. */
  hasFixedRoutes = false;
  #closedAt: number | undefined;

  constructor(exchanges: Exchanges, clients: Clients | undefined, isTls: boolean) {
    this.exchanges = exchanges;
    this.clients = clients;
    this.#isTls = isTls;
    this.#cutter = clients && new Cutter(clients);
  }

  /** Told of the server before the first request can come. The object may speak for others later: what is asked of it here is its own. */
  setServer(native: BunServer): void {
    const prototype = Object.getPrototypeOf(native);
    this.#pending = () => Reflect.get(prototype, "pendingRequests", native);
    this.#addressOf = native.requestIP.bind(native);
  }

  get #isTcp(): boolean {
    return this.clients?.listener.transport !== "unix";
  }

  /** A request came. */
  came(request: Request): void {
    if (!this.#isTcp) return;
    this.#keep(request);
    if (this.#isTls) this.#asked.add(this.#addressOf(request)?.port);
  }

  /** A handler has answered. On a Unix socket nothing else tells which requests are streams. */
  sent(response: Response, request: Request): void {
    if (this.#isTcp) return;
    if (response.headers.get("content-type")?.startsWith("text/event-stream") === true) this.#keep(request);
  }

  #keep(request: Request): void {
    if (this.#kept.push(request) === this.#most) this.#sortOut();
  }

  /** One that is over has no address any more, or, on a Unix socket, its client is gone. It costs each request 30 ns. */
  #sortOut(): void {
    const isThere = this.#isTcp
      ? (request: Request) => this.#addressOf(request) !== null
      : (request: Request) => !request.signal.aborted;
    this.#kept = this.#kept.filter(isThere);
    this.#most = Math.max(fewest, 2 * this.#kept.length);
  }

  /** The ports of the TCP clients whose requests are under way, bodies that are streamed and WebSockets included. */
  busyPorts(): ReadonlySet<number | undefined> {
    this.#sortOut();
    const sockets = [...this.#sockets.values()].map(({ port }) => port);
    return new Set([...sockets, ...this.#kept.map((request) => this.#addressOf(request)!.port)]);
  }

  /** A WebSocket is open. */
  opened(socket: BunWebSocket, open: OpenSocket): void {
    this.#sockets.set(socket, open);
  }

  /** It is closed. */
  closed(socket: BunWebSocket): void {
    this.#sockets.delete(socket);
  }

  /** The requests whose handlers run and whose clients are there. */
  #running(): Request[] {
    if (this.exchanges.running === 0) return [];
    return this.exchanges.underWay().map(({ request }) => request).filter(({ signal }) => !signal.aborted);
  }

  /** How many responses are being sent: to a client that reads slowly, and by a handler that writes yet. */
  #sending(running: number): { slow: number; streams: number } {
    const count = Math.max(0, this.#pending() - running);
    if (count === 0 || this.clients === undefined) return { slow: 0, streams: count };
    const { libc } = this.clients;
    const slow = Math.min(count, outgoingSockets(libc, this.clients.sockets(), this.#isTcp).length);
    return { slow, streams: count - slow };
  }

  inFlight(): number {
    const pendingRequests = this.#pending();
    // It does not count those whose client is gone.
    if (pendingRequests === 0) return 0;
    const running = this.#running().length;
    return Math.min(pendingRequests, running + this.#sending(running).slow);
  }

  streams(): number {
    const pendingRequests = this.#pending();
    const streams = pendingRequests === 0 ? 0 : this.#sending(this.#running().length).streams;
    return streams + (this.#isClosing() || this.#closedAt === undefined ? this.#sockets.size : 0);
  }

  connections(): number | undefined {
    return this.clients?.sockets().length;
  }

  unread(): number | undefined {
    const isCalm = this.#pending() === 0 && this.#sockets.size === 0;
    const asked = this.#isTls && !this.hasFixedRoutes ? this.#asked : undefined;
    return this.clients && unreadConnections(this.clients, { isTls: this.#isTls, isCalm, asked });
  }

  handled(): number {
    return this.exchanges.handled;
  }

  /** The requests whose responses the handlers still write, as far as that is known. */
  #streaming(): Request[] {
    this.#sortOut();
    const running = new Set(this.exchanges.underWay().map(({ request }) => request));
    return this.#kept.filter((request) => !running.has(request));
  }

  open(): OpenPart[] {
    const running = this.#running();
    const streaming = this.#streaming();
    const { slow, streams } = this.#sending(running.length);
    const sending = Array.from({ length: slow + streams }, (_, i) => streaming[i] && nameOf(streaming[i]));
    return [
      ...running.map((request) => ({ is: "request" as const, name: nameOf(request) })),
      ...sending.map((name) => ({ is: "response" as const, name })),
      ...[...this.#sockets.values()].map(({ name }) => ({ is: "WebSocket" as const, name })),
    ];
  }

  /** Of a response whose client reads slowly nothing tells whether the handler still writes it: its signal aborts as well. */
  abortStreams(which: StreamKind): void {
    if (this.#pending() === 0) return;
    // Only on a Unix socket the type of a response is known.
    if (which === "events" && this.#isTcp) return;
    for (const { signal } of this.#streaming()) abortSignal(signal);
  }

  endStreams(): void {
    if (this.#closedAt === undefined) {
      this.#closedAt = performance.now();
      for (const socket of this.#sockets.keys()) socket.close(goingAway);
    }
    const running = this.#running();
    // Nothing tells which connection is whose.
    if (this.#isClosing() || (!this.#isTcp && running.length > 0)) return;
    const ports = new Set(running.map((request) => this.#addressOf(request)?.port));
    this.#cutter?.look((port) => ports.has(port));
  }

  /** Whether WebSockets are at their closing handshake. */
  #isClosing(): boolean {
    return this.#sockets.size > 0 && this.#closedAt !== undefined && performance.now() - this.#closedAt <= closeMs;
  }
}
