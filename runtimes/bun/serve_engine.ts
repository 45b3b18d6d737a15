import type { FallbackAddress } from "../../src/activation/address.ts";
import type { Choice } from "../../src/activation/choose.ts";
import { hasLibc } from "../../src/host.ts";
import type { Engine, EngineHandler } from "../../src/http/engine.ts";
import type { TlsOptions } from "../../src/http/types.ts";
import { acceptedSockets, isWildcard, localEnd, readableSockets, unreadSockets } from "../../src/linux/accepted.ts";
import type { Libc } from "../../src/linux/libc.ts";
import type { Address } from "../../src/types.ts";
import { host } from "./host.ts";
import { adoptServe, type OpenedServer, openServe } from "./serve_open.ts";
import type { BunServeOptions, BunServer } from "./types.ts";

/** How long one turn of the event loop may take in which Bun reads what has arrived. */
const turnMs = 5;
/** After so many turns in a row that brought something new, the rest is left to its clients. */
const mostTurns = 100;

function authorityOf(address: Address): string {
  if (address.transport !== "tcp") return "localhost";
  const hostname = address.hostname.split("%")[0];
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${address.port}`;
}

/** libc, where there is one. */
function findLibc(): Libc | undefined {
  const libc = host.libc();
  return hasLibc(libc) ? libc : undefined;
}

/** What Bun calls for each request. */
class Requests {
  readonly #handler: EngineHandler;
  readonly #scheme: string;
  /** Set before the first request can come. */
  address: Address = { transport: "unix", path: "" };

  constructor(handler: EngineHandler, scheme: "http" | "https") {
    this.#handler = handler;
    this.#scheme = scheme;
  }

  fetch(request: Request, server: BunServer): Response | Promise<Response> {
    // Without a Host header (HTTP/1.0), Bun gives the path alone.
    const whole = request.url.charCodeAt(0) === 47 ? this.#complete(request) : request;
    // Addresses are asked for when somebody wants them: each costs a call.
    return this.#handler(whole, () => this.#remote(server, request), () => this.#local(server, request));
  }

  #complete(request: Request): Request {
    return new Request(`${this.#scheme}://${authorityOf(this.address)}${request.url}`, request);
  }

  #remote(server: BunServer, request: Request): Address {
    if (this.address.transport !== "tcp") return { transport: "unix", path: "" };
    const ip = server.requestIP(request);
    // A client that is gone has no address any more.
    return { transport: "tcp", hostname: ip?.address ?? "", port: ip?.port ?? 0 };
  }

  #local(server: BunServer, request: Request): Address {
    const libc = isWildcard(this.address) ? findLibc() : undefined;
    if (libc === undefined) return this.address;
    return localEnd(libc, this.address, this.#remote(server, request)) ?? this.address;
  }
}

/** `Bun.serve()` as the core drives it. */
class BunEngine implements Engine {
  readonly name = "bun-serve";
  readonly address: Address;
  readonly finished: Promise<void>;
  readonly #opened: OpenedServer;
  readonly #libc: Libc | undefined;
  #finish: () => void = () => {};

  constructor(opened: OpenedServer) {
    this.#opened = opened;
    this.#libc = findLibc();
    this.address = opened.address;
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  stopAccepting(): void {
    this.#opened.release();
  }

  unread(): number | undefined {
    const libc = this.#libc;
    if (libc === undefined || this.address.transport !== "tcp") return undefined;
    return unreadSockets(libc, acceptedSockets(libc, this.address));
  }

  connections(): number | undefined {
    return this.#libc && acceptedSockets(this.#libc, this.address).length;
  }

  async close(): Promise<void> {
    this.stopAccepting();
    await this.#untilRead();
    await this.#opened.stop();
    this.abort();
  }

  /**
   * `stop()` closes connections at once that wait for another request, also one that has arrived and that Bun has not read. So it
   * is called right after a look that found nothing new: what was there at the look before is a body that Bun does not read on.
   */
  async #untilRead(): Promise<void> {
    const libc = this.#libc;
    if (libc === undefined) return;
    let before: readonly number[] = [];
    for (let turn = 0; turn < mostTurns; turn++) {
      const now = readableSockets(libc, acceptedSockets(libc, this.address));
      if (now.every((fd) => before.includes(fd))) return;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, turnMs));
    }
  }

  abort(): void {
    // Bun before 1.4 keeps connections that wait for another request.
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

async function engineOf(
  tls: TlsOptions | undefined,
  handler: EngineHandler,
  open: (options: BunServeOptions) => OpenedServer | Promise<OpenedServer>,
): Promise<Engine> {
  const requests = new Requests(handler, tls === undefined ? "http" : "https");
  const opened = await open({
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    // No page of Bun's for errors, and its limits where the other runtimes have none: a body of 128 MiB, and 10 s for the handler.
    development: false,
    // Its default outside development (1.4): others could listen on the same port and take half of the clients.
    reusePort: false,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: 255,
    fetch: (request, server) => requests.fetch(request, server),
  });
  requests.address = opened.address;
  return new BunEngine(opened);
}

/** The engine on an inherited descriptor. */
export function adoptBunServe(choice: Choice, tls: TlsOptions | undefined, handler: EngineHandler): Promise<Engine> {
  return engineOf(tls, handler, (options) => adoptServe(choice, options));
}

/** The engine at a fallback address. */
export function openBunServe(
  address: FallbackAddress,
  mode: number | undefined,
  tls: TlsOptions | undefined,
  handler: EngineHandler,
): Promise<Engine> {
  return engineOf(tls, handler, (options) => openServe(address, mode, options));
}
