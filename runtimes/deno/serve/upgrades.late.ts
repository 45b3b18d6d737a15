import type { Accepted, AdapterOptions, WebSockets } from "../../../src/http/web_sockets.late.ts";
import type { Address } from "../../../src/types.ts";
import { loadCrossws } from "../../shared/crossws.ts";
import { denoHost as host } from "../host.ts";
import type { DenoServeHandler, DenoServeInfo } from "../types.ts";
import type { DenoTraffic } from "./traffic.ts";
import { webSocketOf } from "./web_sockets.ts";

/** `crossws/adapters/deno`. https://crossws.h3.dev/adapters/deno */
interface CrosswsModule {
  readonly default: (options: AdapterOptions) => {
    handleUpgrade(request: Request, info: DenoServeInfo): Promise<Response>;
  };
}

/** Deno sends one header of ours alone (denoland/deno#19277). */
function warnOfHeaders(headers: Headers): void {
  const names = [...new Set(headers.keys())].filter((name) => name !== "sec-websocket-protocol");
  if (names.length > 0) host.warn(`Deno.serve() leaves out of the response to an upgrade: ${names.join(", ")}`);
}

/** Makes WebSockets of requests to `Deno.serve()`. */
class Upgrades {
  readonly #webSockets: WebSockets;
  readonly #adapter: ReturnType<CrosswsModule["default"]>;

  constructor(webSockets: WebSockets, { default: adapterOf }: CrosswsModule) {
    this.#webSockets = webSockets;
    const { upgrade, open, message } = webSockets.options.hooks;
    this.#adapter = adapterOf({ ...webSockets.options, hooks: { upgrade, open, message } });
  }

  /** A handler whose responses may ask for an upgrade. */
  wrap(handler: DenoServeHandler, traffic: DenoTraffic, remoteOf: (info: DenoServeInfo) => Address): DenoServeHandler {
    return (request, info) =>
      this.#webSockets.answer(handler(request, info), async (upgrade) => {
        warnOfHeaders(upgrade.headers);
        const remoteAddress = remoteOf(info);
        // Neither Deno nor crossws can cut a WebSocket off.
        const terminate = () => void (traffic.cut(remoteAddress) || webSocketOf(request)?.close(1000));
        const accepted = this.#webSockets.accept(request, upgrade, { remoteAddress, terminate });
        const response = await this.#adapter.handleUpgrade(request, info);
        traffic.sent(response, request, info);
        this.#watch(webSocketOf(request), accepted);
        return response;
      });
  }

  /** crossws 0.4 tells neither the code with which a WebSocket of Deno is closed, nor what failed. */
  #watch(socket: WebSocket | undefined, accepted: Accepted): void {
    socket?.addEventListener("error", (event) => {
      const { error, message } = event as ErrorEvent;
      if (accepted.peer !== undefined) this.#webSockets.failed(accepted.peer, error ?? new Error(message));
    });
    socket?.addEventListener("close", ({ code, reason }) => {
      // Deno says 0 where there was no close frame.
      if (accepted.peer !== undefined) this.#webSockets.closed(accepted.peer, { code: code || 1006, reason });
    });
  }
}

export type { Upgrades };

/** @throws {Fd3Error} `ERR_FD3_PLATFORM` if crossws cannot be loaded. */
export async function loadUpgrades(webSockets: WebSockets): Promise<Upgrades> {
  return new Upgrades(webSockets, await loadCrossws("deno-serve", () => import("crossws/adapters/deno")));
}
