import type { FallbackAddress } from "../../../src/activation/address.ts";
import { addressOf, type Choice } from "../../../src/activation/choose.ts";
import { hasLibc } from "../../../src/host.ts";
import type { Engine, EngineHandler, OpenPart, StreamKind } from "../../../src/http/engine.ts";
import { watchIdleConnections } from "../../../src/http/idle.ts";
import type { EngineName, TlsOptions } from "../../../src/http/types.ts";
import { isWildcard } from "../../../src/linux/accepted.ts";
import type { Libc } from "../../../src/linux/libc.ts";
import { localEnd } from "../../../src/linux/peers.ts";
import { endReading, silentConnections } from "../../../src/linux/silent.ts";
import type { Address, FileAccess } from "../../../src/types.ts";
import { fromDeno } from "../address.ts";
import { backgroundTimer } from "../background_timer.ts";
import { denoHost as host } from "../host.ts";
import type { DenoServeHandler, DenoServeInfo } from "../types.ts";
import { httpUrl, requestsWithUrl } from "./request_url.ts";
import { adoptServing, openServing, type Tracked, type TrackedServer } from "./served.ts";
import type { DenoTraffic } from "./traffic.ts";

/** An unnamed peer: Deno tells nothing of a Unix client. */
const unnamed: FallbackAddress = { transport: "unix", path: "" };
const unnamedPeer = (): Address => unnamed;
const remoteOf = (info: DenoServeInfo): Address => fromDeno(info.remoteAddr);

/** A server on which a request can be asked about. */
interface Place {
  address: FallbackAddress;
  readonly libc: Libc | undefined;
}

/** Our end of a connection. One that came in at all addresses has one of them. */
function localOf({ address, libc }: Place, info: DenoServeInfo): Address {
  if (libc === undefined || !isWildcard(address)) return address;
  return localEnd(libc, address, fromDeno(info.remoteAddr)) ?? address;
}

/**
 * The answer to `OPTIONS *`, which asks for no resource (RFC 9110, 9.3.7): no `Request` can say that. Bun and @hono/node-server answer
 * so, too; Deno makes `/*` of it, so that here one that asks for this path has the same answer.
 */
function refusal(request: Request): Response | undefined {
  if (request.method !== "OPTIONS" || !/^[^/]+\/\/[^/]*\/\*$/.test(request.url)) return undefined;
  return new Response(null, { status: 400, headers: { connection: "close" } });
}

/** An {@linkcode EngineHandler} as Deno calls it. On the way of every request: what costs waits until it is asked for. */
function toDenoHandler(handler: EngineHandler, place: Place, traffic: DenoTraffic): DenoServeHandler {
  const local = () => place.address;
  if (place.address.transport === "unix") {
    const own = requestsWithUrl(httpUrl);
    return (request, info) =>
      refusal(request) ??
        handler.handle(own(request), unnamedPeer, local, (response) => traffic.sent(response, request, info));
  }
  const isOne = !isWildcard(place.address);
  return (request, info) =>
    refusal(request) ?? handler.handle(
      request,
      () => remoteOf(info),
      isOne ? local : () => localOf(place, info),
      (response) => traffic.sent(response, request, info),
    );
}

/** The engine on `Deno.serve()`. */
export class DenoEngine implements Engine {
  readonly name: EngineName = "deno-serve";
  readonly #served: TrackedServer;
  #endIdle = () => {};
  readonly finished: Promise<void>;

  constructor(served: TrackedServer) {
    this.#served = served;
    this.finished = served.serving.finished;
  }

  get #traffic(): DenoTraffic {
    return this.#served.traffic;
  }

  get address(): Address {
    return this.#served.serving.source.address;
  }

  stopAccepting(): void {
    this.#endIdle();
    this.#served.serving.release();
    this.#traffic.startClosing();
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

  /**
   * Nothing tells which connection is waiting for its next request, and which is amid a response that is made slowly. One without any
   * response may be in a handler, and that is known.
   */
  closeIdle(limitMs: number): void {
    const { serving: { clients }, isTls } = this.#served;
    if (clients === undefined || this.address.transport !== "tcp") return;
    this.#endIdle = watchIdleConnections(backgroundTimer, limitMs, () => {
      const silent = silentConnections(clients.libc, clients.sockets(), limitMs);
      // A handshake is an answer, too.
      const isCalm = !isTls && this.#traffic.running === 0;
      const idle = silent.filter(({ hasReceived, hasSent }) => !hasReceived || (isCalm && !hasSent));
      endReading(clients.libc, idle.map(({ fd }) => fd));
    });
  }

  async close(): Promise<void> {
    // Deno's own end closes WebSockets at once.
    await this.#traffic.withoutSockets();
    await this.#served.serving.shutdown();
  }

  abort(): void {
    this.#served.serving.abort();
  }

  ref(): void {
    this.#served.serving.ref();
  }

  unref(): void {
    this.#served.serving.unref();
  }
}

async function track(
  handler: EngineHandler,
  address: FallbackAddress,
  tls: TlsOptions | undefined,
): Promise<Tracked & { place: Place }> {
  const { webSockets } = handler;
  const upgrades = webSockets && await (await import("./upgrades.late.ts")).loadUpgrades(webSockets);
  const libc = host.libc();
  const place: Place = { address, libc: hasLibc(libc) ? libc : undefined };
  return {
    place,
    options: tls === undefined ? {} : { cert: tls.cert, key: tls.key },
    exchanges: handler.exchanges,
    handlerOf(traffic) {
      const own = toDenoHandler(handler, place, traffic);
      if (upgrades === undefined) return own;
      return upgrades.wrap(own, traffic, place.address.transport === "unix" ? unnamedPeer : remoteOf);
    },
  };
}

/** `Deno.serve()` as an engine of `serve()`. */
export const denoServe = {
  name: "deno-serve",

  /**
   * On the inherited descriptor.
   *
   * @throws {Fd3Error} `ERR_FD3_FFI` if a permission is missing, `ERR_FD3_TRANSPLANT` if Deno did not take it, `ERR_FD3_PLATFORM` for TLS
   * on a Unix socket; nothing has changed then.
   */
  async adopt(choice: Choice, handler: EngineHandler, tls: TlsOptions | undefined): Promise<Engine> {
    return new DenoEngine(adoptServing(choice, await track(handler, addressOf(choice) ?? unnamed, tls)));
  },

  /**
   * At an address.
   *
   * @throws {Fd3Error} What Deno or the kernel says, with the address; `ERR_FD3_PLATFORM` for TLS on a Unix socket.
   */
  async open(
    address: FallbackAddress,
    access: FileAccess,
    handler: EngineHandler,
    tls: TlsOptions | undefined,
  ): Promise<Engine> {
    const { place, ...tracked } = await track(handler, address, tls);
    const served = await openServing(address, access, tracked);
    place.address = served.serving.source.address;
    return new DenoEngine(served);
  },
} as const;
