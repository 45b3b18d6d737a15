import type { FallbackAddress } from "../../../src/activation/address.ts";
import type { Choice } from "../../../src/activation/choose.ts";
import { hasLibc } from "../../../src/host.ts";
import type { Engine, EngineHandler } from "../../../src/http/engine.ts";
import type { EngineName, TlsOptions } from "../../../src/http/types.ts";
import { watchIdleConnections } from "../../../src/http/idle.ts";
import { isWildcard } from "../../../src/linux/accepted.ts";
import type { Libc } from "../../../src/linux/libc.ts";
import { localEnd } from "../../../src/linux/peers.ts";
import { unreadConnections } from "../../../src/linux/handshake.ts";
import { endReading, silentConnections } from "../../../src/linux/silent.ts";
import type { Address, FileAccess } from "../../../src/types.ts";
import { addressOf } from "../../shared/choice.ts";
import { denoHost as host } from "../host.ts";
import { fromDeno } from "../address.ts";
import { backgroundTimer } from "../background_timer.ts";
import { httpUrl, requestsWithUrl } from "./request_url.ts";
import { adoptServing, openServing } from "./native.ts";
import type { Serve } from "./source.ts";
import type { Serving } from "./serving.ts";
import type { DenoServeHandler, DenoServeInfo } from "../types.ts";

/** An unnamed peer: Deno tells nothing of a Unix client. */
const unnamed: FallbackAddress = { transport: "unix", path: "" };
const unnamedPeer = (): Address => unnamed;

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
function toDenoHandler(handler: EngineHandler, place: Place): DenoServeHandler {
  if (handler.length === 0) return handler as () => Response | Promise<Response>;
  const local = () => place.address;
  if (place.address.transport === "unix") {
    const own = requestsWithUrl(httpUrl);
    return (request) => refusal(request) ?? handler(own(request), unnamedPeer, local);
  }
  const isOne = !isWildcard(place.address);
  return (request, info) => {
    const remote = () => fromDeno(info.remoteAddr);
    return refusal(request) ?? handler(request, remote, isOne ? local : () => localOf(place, info));
  };
}

/** The engine on `Deno.serve()`. */
class DenoServe implements Engine {
  readonly name: EngineName = "deno-serve";
  readonly #serving: Serving;
  readonly #isTls: boolean;
  #endIdle = () => {};
  readonly finished: Promise<void>;

  constructor(serving: Serving, isTls: boolean) {
    this.#serving = serving;
    this.#isTls = isTls;
    this.finished = serving.finished;
  }

  get address(): Address {
    return this.#serving.source.address;
  }

  stopAccepting(): void {
    this.#endIdle();
    this.#serving.release();
  }

  unread(): number | undefined {
    const { clients } = this.#serving;
    return clients && unreadConnections(clients, this.#isTls);
  }

  connections(): number | undefined {
    return this.#serving.clients?.sockets().length;
  }

  /**
   * Nothing tells which connection is waiting for its next request, and which is amid a response that is made slowly. One without any
   * response may be in a handler, and that is known.
   */
  closeIdle(limitMs: number, inFlight: () => number): void {
    const { clients } = this.#serving;
    if (clients === undefined || this.address.transport !== "tcp") return;
    this.#endIdle = watchIdleConnections(backgroundTimer, limitMs, () => {
      const silent = silentConnections(clients.libc, clients.sockets(), limitMs);
      // A handshake is an answer, too.
      const isCalm = !this.#isTls && inFlight() === 0;
      const idle = silent.filter(({ hasReceived, hasSent }) => !hasReceived || (isCalm && !hasSent));
      endReading(clients.libc, idle.map(({ fd }) => fd));
    });
  }

  close(): Promise<void> {
    return this.#serving.shutdown();
  }

  abort(): void {
    this.#serving.abort();
  }

  ref(): void {
    this.#serving.ref();
  }

  unref(): void {
    this.#serving.unref();
  }
}

function makeEngine(
  handler: EngineHandler,
  address: FallbackAddress,
  tls: TlsOptions | undefined,
): { place: Place; serve: Serve } {
  const libc = host.libc();
  const place: Place = { address, libc: hasLibc(libc) ? libc : undefined };
  const options = tls === undefined ? {} : { cert: tls.cert, key: tls.key };
  return { place, serve: { options, handler: toDenoHandler(handler, place) } };
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
  adopt(choice: Choice, handler: EngineHandler, tls: TlsOptions | undefined): Engine {
    const { serve } = makeEngine(handler, addressOf(choice) ?? unnamed, tls);
    const { serving } = adoptServing(choice, serve);
    return new DenoServe(serving, tls !== undefined);
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
    const { place, serve } = makeEngine(handler, address, tls);
    const { serving } = await openServing(address, access, serve);
    place.address = serving.source.address;
    return new DenoServe(serving, tls !== undefined);
  },
} as const;
