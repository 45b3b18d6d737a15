import type { FallbackAddress } from "../../../src/activation/address.ts";
import { addressOf, type Choice } from "../../../src/activation/choose.ts";
import type { Engine, EngineHandler, OpenPart, StreamKind } from "../../../src/http/engine.ts";
import type { TlsOptions } from "../../../src/http/types.ts";
import type { WebSockets } from "../../../src/http/web_sockets.late.ts";
import { watchIdleConnections } from "../../../src/http/idle.ts";
import { readableSockets } from "../../../src/linux/accepted.ts";
import { type Clients, clientsAt, inheritedClients } from "../../../src/linux/clients.ts";
import { endReading, peerPort, silentConnections } from "../../../src/linux/silent.ts";
import type { Address, FileAccess } from "../../../src/types.ts";
import { backgroundTimerOf } from "../../shared/background_timer.ts";
import { bunHost as host } from "../host.ts";
import { Requests } from "./requests.ts";
import { adoptServe, type OpenedServer, openServe } from "./open.ts";
import type { BunServeOptions } from "../types.ts";
import { BunTraffic } from "./traffic.ts";
import type { Upgrades } from "./upgrades.late.ts";

/** After so many looks in a row that found something new, the rest is left to its clients. */
const mostLooks = 100;

/** A turn of the event loop, in which Bun reads what has arrived. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** `Bun.serve()` as the core drives it. */
export class BunEngine implements Engine {
  readonly name = "bun-serve";
  readonly address: Address;
  readonly finished: Promise<void>;
  readonly #opened: OpenedServer;
  readonly #traffic: BunTraffic;
  readonly #clients: Clients | undefined;
  readonly #startClosing: () => void;
  #endIdle = () => {};
  #finish: () => void = () => {};

  /** @param startClosing From then on every response says `connection: close`. */
  constructor(opened: OpenedServer, traffic: BunTraffic, startClosing: () => void) {
    this.#opened = opened;
    this.#traffic = traffic;
    this.#clients = traffic.clients;
    this.#startClosing = startClosing;
    this.address = opened.address;
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  stopAccepting(): void {
    this.#endIdle();
    this.#clients?.complete();
    this.#opened.release();
    this.#startClosing();
  }

  /** Bun's own `stop()` was called, and is through. */
  ended(): void {
    this.#finish();
  }

  inFlight(): number {
    return this.#traffic.inFlight();
  }

  streams(): number {
    return this.#traffic.streams();
  }

  unread(): number | undefined {
    return this.#traffic.unread();
  }

  connections(): number | undefined {
    return this.#traffic.connections();
  }

  handled(): number {
    return this.#traffic.handled();
  }

  open(): OpenPart[] {
    return this.#traffic.open();
  }

  abortStreams(which: StreamKind): void {
    this.#traffic.abortStreams(which);
  }

  endStreams(): void {
    this.#traffic.endStreams();
  }

  closeIdle(limitMs: number): void {
    const clients = this.#clients;
    if (clients === undefined || this.address.transport !== "tcp") return;
    const { libc } = clients;
    this.#endIdle = watchIdleConnections(backgroundTimerOf(setTimeout), limitMs, () => {
      const busy = this.#traffic.busyPorts();
      const silent = silentConnections(libc, clients.sockets(), limitMs);
      endReading(libc, silent.map(({ fd }) => fd).filter((fd) => !busy.has(peerPort(libc, fd))));
    });
  }

  async close(): Promise<void> {
    this.stopAccepting();
    await this.#untilRead();
    // From Bun 1.4 it waits until all connections are closed. Before, it keeps those that wait for another request, which end with the
    // process, and may cut off a response that is still being sent.
    await this.#opened.stop();
    this.#finish();
  }

  /**
   * `stop()` closes connections at once that wait for another request, also one that has arrived and that Bun has not read. So it
   * is called right after a look that found nothing new: what was there at the look before is a body that Bun does not read on.
   */
  async #untilRead(): Promise<void> {
    const clients = this.#clients;
    if (clients === undefined) return;
    let before: readonly number[] = [];
    for (let looks = 0; looks < mostLooks; looks++) {
      // Nothing is accepted any more, so a look of just now has all of them; what they have to be read is asked now.
      const now = readableSockets(clients.libc, clients.sockets());
      if (now.every((fd) => before.includes(fd))) return;
      before = now;
      await turn();
    }
  }

  abort(): void {
    void this.#opened.stop(true);
    this.#finish();
  }

  ref(): void {
    this.#opened.native.ref();
  }

  unref(): void {
    this.#opened.native.unref();
  }
}

/** An engine that does not listen yet. */
interface Parts {
  readonly handler: EngineHandler;
  readonly tls: TlsOptions | undefined;
  readonly upgrades: Upgrades | undefined;
  readonly clients: Clients | undefined;
}

async function engineOf(
  { handler, tls, upgrades, clients }: Parts,
  open: (options: BunServeOptions) => OpenedServer | Promise<OpenedServer>,
): Promise<Engine> {
  const traffic = new BunTraffic(handler.exchanges, clients, tls !== undefined);
  const requests = new Requests(handler, tls === undefined ? "http" : "https", traffic, upgrades);
  const opened = await open({
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    ...(upgrades === undefined ? {} : { websocket: upgrades.handlers(traffic) }),
    // No page of Bun's for errors, and none of its limits where the other runtimes have none: a body of 128 MiB, and 10 s for all of
    // a request, its handler and its response.
    development: false,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: 0,
    fetch: (request, server) => requests.fetch(request, server),
  });
  traffic.setServer(opened.native);
  requests.address = opened.address;
  if (clients !== undefined) clients.listener = opened.address;
  return new BunEngine(opened, traffic, () => handler.exchanges.startClosing());
}

async function upgradesOf(webSockets: WebSockets): Promise<Upgrades> {
  return await (await import("./upgrades.late.ts")).loadUpgrades(webSockets);
}

/** The engine on an inherited descriptor. */
export async function adoptBunServe(
  choice: Choice,
  tls: TlsOptions | undefined,
  handler: EngineHandler,
): Promise<Engine> {
  const upgrades = handler.webSockets && await upgradesOf(handler.webSockets);
  const address = addressOf(choice);
  const clients = address && inheritedClients(host, address);
  return await engineOf({ handler, tls, upgrades, clients }, (options) => adoptServe(choice, options));
}

/** The engine at a fallback address. */
export async function openBunServe(
  address: FallbackAddress,
  access: FileAccess,
  tls: TlsOptions | undefined,
  handler: EngineHandler,
): Promise<Engine> {
  const upgrades = handler.webSockets && await upgradesOf(handler.webSockets);
  const parts = { handler, tls, upgrades, clients: clientsAt(host, address) };
  return await engineOf(parts, (options) => openServe(address, access, options));
}
