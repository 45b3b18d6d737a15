import { hasLibc } from "../../../src/host.ts";
import { authorityOf } from "../../../src/http/authority.ts";
import type { EngineHandler } from "../../../src/http/engine.ts";
import { isWildcard } from "../../../src/linux/accepted.ts";
import type { Libc } from "../../../src/linux/libc.ts";
import { localEnd } from "../../../src/linux/peers.ts";
import type { Address } from "../../../src/types.ts";
import { bunHost as host } from "../host.ts";
import type { BunServer } from "../types.ts";
import type { BunTraffic } from "./traffic.ts";
import type { Upgrades } from "./upgrades.late.ts";

/** libc, where there is one. */
function findLibc(): Libc | undefined {
  const libc = host.libc();
  return hasLibc(libc) ? libc : undefined;
}

/** What Bun calls for each request. */
export class Requests {
  readonly #handler: EngineHandler;
  readonly #scheme: string;
  readonly #traffic: BunTraffic;
  readonly #upgrades: Upgrades | undefined;
  /** Set before the first request can come. */
  address: Address = { transport: "unix", path: "" };

  constructor(handler: EngineHandler, scheme: "http" | "https", traffic: BunTraffic, upgrades: Upgrades | undefined) {
    this.#handler = handler;
    this.#scheme = scheme;
    this.#traffic = traffic;
    this.#upgrades = upgrades;
  }

  fetch(request: Request, server: BunServer): Response | Promise<Response | undefined> {
    const answer = this.#answer(request, server);
    return this.#upgrades?.answer(answer, request, server, () => this.#remote(server, request)) ?? answer;
  }

  #answer(request: Request, server: BunServer): Response | Promise<Response> {
    this.#traffic.came(request);
    // Without a Host header (HTTP/1.0), Bun gives the path alone.
    const whole = request.url.charCodeAt(0) === 47 ? this.#complete(request) : request;
    // Addresses are asked for when somebody wants them: each costs a call.
    return this.#handler.handle(
      whole,
      () => this.#remote(server, request),
      () => this.#local(server, request),
      this.address.transport === "tcp" ? undefined : (response) => this.#traffic.sent(response, request),
    );
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
