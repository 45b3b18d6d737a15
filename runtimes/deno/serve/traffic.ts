import { type OpenPart, stopReason, type StreamKind, type Traffic } from "../../../src/http/engine.ts";
import { type Exchange, type Exchanges, nameOf } from "../../../src/http/exchanges.ts";
import type { Clients } from "../../../src/linux/clients.ts";
import { hungUpSockets } from "../../../src/linux/accepted.ts";
import { unreadConnections } from "../../../src/linux/handshake.ts";
import { Cutter, outgoingSockets } from "../../../src/linux/outgoing.ts";
import { peerPort } from "../../../src/linux/silent.ts";
import type { Address } from "../../../src/types.ts";
import { backgroundTimer } from "../background_timer.ts";
import type { DenoServeHandler, DenoServeInfo } from "../types.ts";
import { abortRequest, isOpenEnded } from "./peek.ts";
import { webSocketOf } from "./web_sockets.ts";

/** A response of unknown length that the handler still writes. */
interface OpenStream {
  readonly name: string;
  /** Whether it never ends by itself, as its type says. */
  readonly isEvents: boolean;
  readonly request: Request;
  /** That of the client; 0 on a Unix socket. */
  readonly port: number;
}

interface OpenSocket {
  readonly name: string;
  readonly socket: WebSocket;
}

/** The status of an upgrade. */
const SWITCHING_PROTOCOLS = 101;

/** "Going away" (RFC 6455, 7.4.1). */
const goingAway = 1001;

/** After how long without a client a connection is one that a handler holds, in milliseconds. */
const goneMs = 1000;

/** How long a WebSocket's client has to answer the close frame, in milliseconds. */
const closeMs = 1000;

/** What is under way at a server of `Deno.serve()`, and how what never ends is ended. */
export class DenoTraffic implements Traffic {
  readonly #exchanges: Exchanges;
  readonly #clients: Clients | undefined;
  readonly #isTls: boolean;
  readonly #cutter: Cutter | undefined;
  /** The ports of clients that have asked something, with TLS. */
  readonly #asked: Set<number> = new Set();
  readonly #streams: Set<OpenStream> = new Set();
  readonly #sockets: Set<OpenSocket> = new Set();
  #closedAt: number | undefined;
  /** Since when which connections have had no client, as far as that was looked at. */
  #hungUpSince: ReadonlyMap<number, number> = new Map();
  #onNoSocket = () => {};

  constructor(exchanges: Exchanges, clients: Clients | undefined, isTls: boolean) {
    this.#exchanges = exchanges;
    this.#clients = clients;
    this.#isTls = isTls;
    this.#cutter = clients && new Cutter(clients);
  }

  /** From now on every response says `connection: close`. */
  startClosing(): void {
    this.#exchanges.startClosing();
  }

  /** How many handlers run. */
  get running(): number {
    return this.#exchanges.running;
  }

  /** Notes who has asked, where only that tells who has not yet. */
  noting(handler: DenoServeHandler): DenoServeHandler {
    if (!this.#isTls) return handler;
    return (request, info) => {
      this.#asked.add(info.remoteAddr.port!);
      return handler(request, info);
    };
  }

  /** A handler has answered. */
  sent(response: Response, request: Request, info: DenoServeInfo): void {
    if (response.status === SWITCHING_PROTOCOLS) return this.#noteSocket(request);
    if (!isOpenEnded(response)) return;
    const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    const stream = { name: nameOf(request), isEvents, request, port: info.remoteAddr.port ?? 0 };
    this.#streams.add(stream);
    const forget = () => void this.#streams.delete(stream);
    info.completed.then(forget, forget);
  }

  /** Cuts off the connection of a client. Gives whether it could be found. */
  cut(peer: Address): boolean {
    return this.#clients?.cutPeer(peer) ?? false;
  }

  #noteSocket(request: Request): void {
    const socket = webSocketOf(request);
    if (socket === undefined) return;
    const open = { name: nameOf(request), socket };
    this.#sockets.add(open);
    socket.addEventListener("close", () => {
      this.#sockets.delete(open);
      if (this.#sockets.size === 0) this.#onNoSocket();
    });
  }

  /** Settles when no WebSocket is open, or they had time enough for their closing handshake. */
  async withoutSockets(): Promise<void> {
    while (this.#sockets.size > 0 && !this.#isHandshakeOver) {
      await new Promise<void>((resolve) => this.#onNoSocket = resolve);
    }
  }

  get #isHandshakeOver(): boolean {
    return this.#closedAt !== undefined && performance.now() - this.#closedAt > closeMs;
  }

  /**
   * The connections whose clients are there, or to which a response is on its way, and how many others are open: Deno does not notice the end of
   * a client while its handler runs.
   */
  #present(clients: Clients): { fds: readonly number[]; gone: number } {
    const { libc, listener } = clients;
    const fds = clients.sockets();
    const hungUp = this.#longHungUp(hungUpSockets(libc, fds));
    if (hungUp.length === 0) return { fds, gone: 0 };
    const outgoing = new Set(outgoingSockets(libc, hungUp, listener.transport === "tcp"));
    const gone = new Set(hungUp.filter((fd) => !outgoing.has(fd)));
    return { fds: fds.filter((fd) => !gone.has(fd)), gone: gone.size };
  }

  /** Those for a while: on a busy machine Deno takes its time to close one that is idle. */
  #longHungUp(fds: readonly number[]): number[] {
    const now = performance.now();
    const before = this.#hungUpSince;
    this.#hungUpSince = new Map(fds.map((fd) => [fd, before.get(fd) ?? now]));
    return fds.filter((fd) => now - this.#hungUpSince.get(fd)! >= goneMs);
  }

  /** Those that run and whose client is there yet. */
  #underWay(): readonly Exchange[] {
    if (this.#exchanges.running === 0) return [];
    const exchanges = this.#exchanges.underWay();
    if (this.#clients === undefined) return exchanges;
    const { fds, gone } = this.#present(this.#clients);
    const { libc, listener } = this.#clients;
    if (listener.transport === "tcp") {
      const ports = new Set(fds.map((fd) => peerPort(libc, fd)));
      return exchanges.filter(({ remote }) => ports.has(portOf(remote)));
    }
    // Nothing tells which connection of a Unix socket is whose, but that those without a client are amid a handler.
    return exchanges.slice(0, Math.min(fds.length, Math.max(0, exchanges.length - gone)));
  }

  inFlight(): number {
    return this.#underWay().length;
  }

  streams(): number {
    return this.#streams.size + (this.#isHandshakeOver ? 0 : this.#sockets.size);
  }

  connections(): number | undefined {
    return this.#clients && this.#present(this.#clients).fds.length;
  }

  unread(): number | undefined {
    const isCalm = this.#exchanges.running === 0 && this.#sockets.size === 0;
    const asked = this.#isTls ? this.#asked : undefined;
    return this.#clients && unreadConnections(this.#clients, { isTls: this.#isTls, isCalm, asked });
  }

  handled(): number {
    return this.#exchanges.handled;
  }

  open(): OpenPart[] {
    return [
      ...this.#underWay().map(({ request }) => ({ is: "request" as const, name: nameOf(request) })),
      ...[...this.#streams].map(({ name }) => ({ is: "response" as const, name })),
      ...[...this.#sockets].map(({ name }) => ({ is: "WebSocket" as const, name })),
    ];
  }

  abortStreams(which: StreamKind): void {
    for (const { request, isEvents } of this.#streams) {
      if (isEvents || which === "all") abortRequest(request, stopReason());
    }
  }

  endStreams(): void {
    if (this.#closedAt === undefined) {
      this.#closedAt = performance.now();
      for (const { socket } of this.#sockets) socket.close(goingAway);
      backgroundTimer(closeMs + 1, () => this.#onNoSocket());
    }
    const isTcp = this.#clients?.listener.transport === "tcp";
    const streams = new Set([...this.#streams].map(({ port }) => port));
    const running = new Set(this.#underWay().map(({ remote }) => portOf(remote)));
    // Nothing tells which connection of a Unix socket is whose.
    if (!isTcp && (running.size > 0 || this.#hasSockets())) return;
    this.#cutter?.look((port) => this.#hasSockets() ? !streams.has(port) : running.has(port));
  }

  /** Whether WebSockets are at their closing handshake. */
  #hasSockets(): boolean {
    return this.#sockets.size > 0 && performance.now() - this.#closedAt! <= closeMs;
  }
}

function portOf(remote: Exchange["remote"]): number {
  const address = remote();
  return address.transport === "tcp" ? address.port : 0;
}
