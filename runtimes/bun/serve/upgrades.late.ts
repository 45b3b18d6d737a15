import { nameOf } from "../../../src/http/exchanges.ts";
import type { AdapterOptions, WebSockets } from "../../../src/http/web_sockets.late.ts";
import type { Address } from "../../../src/types.ts";
import { loadCrossws } from "../../shared/crossws.ts";
import type { BunServer, BunWebSocket, BunWebSocketHandlers } from "../types.ts";
import type { BunTraffic } from "./traffic.ts";

/** `crossws/adapters/bun`. https://crossws.h3.dev/adapters/bun */
interface CrosswsModule {
  readonly default: (options: AdapterOptions) => {
    readonly websocket: Required<Pick<BunWebSocketHandlers, "open" | "close">>;
    handleUpgrade(request: Request, server: BunServer): Promise<Response | undefined>;
  };
}

/** How much may wait for a client, in bytes. */
const mostWaiting = 64 * 1024 * 1024;

/** Makes WebSockets of requests to `Bun.serve()`. */
class Upgrades {
  readonly #webSockets: WebSockets;
  readonly #adapter: ReturnType<CrosswsModule["default"]>;
  /** Those of the clients, which Bun does not tell any more once there is a WebSocket. */
  readonly #ports: WeakMap<Request, number> = new WeakMap();

  constructor(webSockets: WebSockets, { default: adapterOf }: CrosswsModule) {
    this.#webSockets = webSockets;
    this.#adapter = adapterOf(webSockets.options);
  }

  /** What `Bun.serve()` is given for `websocket`. */
  handlers(traffic: BunTraffic): BunWebSocketHandlers {
    const { websocket } = this.#adapter;
    const ports = this.#ports;
    return {
      ...websocket,
      // By itself Bun drops messages where more than 16 MiB wait, and nobody hears of it.
      backpressureLimit: mostWaiting,
      closeOnBackpressureLimit: true,
      open(socket: BunWebSocket) {
        const { request } = socket.data as { request: Request };
        traffic.opened(socket, { name: nameOf(request), port: ports.get(request) });
        return websocket.open(socket);
      },
      close(socket: BunWebSocket, code: number, reason: string) {
        traffic.closed(socket);
        return websocket.close(socket, code, reason);
      },
    };
  }

  /**
   * The answer to a request. Once it is a WebSocket, Bun wants none.
   *
   * @param request Bun's own.
   */
  answer(
    answer: Response | Promise<Response>,
    request: Request,
    server: BunServer,
    remote: () => Address,
  ): Response | Promise<Response | undefined> {
    return this.#webSockets.answer(answer, (upgrade) => {
      const remoteAddress = remote();
      if (remoteAddress.transport === "tcp") this.#ports.set(request, remoteAddress.port);
      this.#webSockets.accept(request, upgrade, { remoteAddress });
      return this.#adapter.handleUpgrade(request, server);
    });
  }
}

export type { Upgrades };

/** @throws {Fd3Error} `ERR_FD3_PLATFORM` if crossws cannot be loaded. */
export async function loadUpgrades(webSockets: WebSockets): Promise<Upgrades> {
  // Its own types bring Bun's, which are not those of the other runtimes.
  const load = () =>
    // @ts-types="../../shared/crossws.ts"
    import("crossws/adapters/bun");
  return new Upgrades(webSockets, await loadCrossws("bun-serve", load));
}
