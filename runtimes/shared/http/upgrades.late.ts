import type { AdapterOptions, WebSockets } from "../../../src/http/web_sockets.late.ts";
import type { Address } from "../../../src/types.ts";
import { builtin } from "../common.ts";
import { loadCrossws } from "../crossws.ts";
import type { HttpConnection } from "./connection.ts";
import { readAgain } from "./read_again.ts";
import type {
  HonoEnv,
  HttpSocket,
  IncomingMessage,
  NodeHttpListener,
  NodeHttpModule,
  NodeHttpServer,
} from "./types.ts";

/** The longest message, as on Bun. */
const maxPayload = 16 * 1024 * 1024;

/** `crossws/adapters/node`, which brings ws. https://crossws.h3.dev/adapters/node */
interface CrosswsModule {
  /** The adapter itself: `default` refuses other runtimes, where it works on their node:http. */
  readonly _nodeAdapter: (options: AdapterOptions & { readonly serverOptions: object }) => {
    handleUpgrade(incoming: IncomingMessage, socket: HttpSocket, head: Uint8Array, request: Request): Promise<void>;
  };
}

/** Whether a request asks for a WebSocket; the parser has seen `connection: upgrade`. One with a body is a plain request. */
function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  if (method !== "GET" || headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined) {
    return false;
  }
  return headers.upgrade?.split(",").some((word) => word.trim().toLowerCase() === "websocket") === true;
}

/** A request that asks for a WebSocket, and has no answer yet. */
interface Asked {
  /** What came behind its head. */
  readonly rest: Uint8Array;
  /** Ends the watch over its client. */
  readonly forget: () => void;
}

/** node:http reads it no more. So that its end is seen, as on other connections, it is read, and what comes is left for later. */
function watchEnd(socket: HttpSocket): () => void {
  const look = () => void socket.read(0);
  const leave = () => void socket.destroy();
  // Later it may have an error, too, without a listener.
  socket.on("error", leave);
  socket.on("readable", look);
  socket.on("end", leave);
  return () => {
    socket.off("readable", look);
    socket.off("end", leave);
  };
}

/** Makes WebSockets of requests to a server of node:http. */
class Upgrades {
  readonly #webSockets: WebSockets;
  readonly #adapter: ReturnType<CrosswsModule["_nodeAdapter"]>;
  readonly #asked: WeakMap<IncomingMessage, Asked> = new WeakMap();

  constructor(webSockets: WebSockets, { _nodeAdapter: adapterOf }: CrosswsModule) {
    this.#webSockets = webSockets;
    this.#adapter = adapterOf({ ...webSockets.options, serverOptions: { maxPayload } });
  }

  /** What a server is made with: it asks which requests are no plain ones. Before Node 22.21 it does not. */
  readonly serverOptions = { shouldUpgradeCallback: asksForWebSocket };

  /** Gives such a request a response of node:http, so that it is answered like any other until it is a WebSocket. */
  listen(server: NodeHttpServer, onRequest: NodeHttpListener): void {
    const { ServerResponse } = builtin<NodeHttpModule>("node:http");
    server.on("upgrade", (incoming: IncomingMessage, socket: HttpSocket, rest: Uint8Array) => {
      if (!asksForWebSocket(incoming)) return readAgain(server, incoming, rest);
      const outgoing = new ServerResponse(incoming);
      outgoing.shouldKeepAlive = false;
      outgoing.assignSocket(socket);
      outgoing.on("finish", () => socket.destroySoon());
      this.#asked.set(incoming, { rest, forget: watchEnd(socket) });
      void onRequest(incoming, outgoing);
    });
  }

  /** The answer to a request. */
  answer(
    answer: Response | Promise<Response>,
    request: Request,
    { incoming, outgoing }: HonoEnv,
    connection: HttpConnection,
  ): Response | Promise<Response> {
    return this.#webSockets.answer(answer, async (upgrade) => {
      const asked = this.#asked.get(incoming);
      if (asked === undefined) throw new TypeError("Cannot upgrade the connection: the request is a plain one");
      const remoteAddress: Address = connection.remote();
      const accepted = this.#webSockets.accept(request, upgrade, { remoteAddress });
      const { socket } = incoming;
      asked.forget();
      outgoing.detachSocket(socket);
      // ws wants that alone.
      Object.assign(incoming.headers, { upgrade: "websocket" });
      connection.upgraded(incoming, { outgoing, end: (code) => accepted.peer?.close(code) });
      await this.#adapter.handleUpgrade(incoming, socket, asked.rest, request);
      return alreadySent();
    });
  }
}

export type { Upgrades };

/** What tells @hono/node-server that there is nothing to send: a real `Response`, as it does not look at the headers of its own. */
function alreadySent(): Response {
  return new Response(null, { headers: { "x-hono-already-sent": "true" } }).clone();
}

/** @throws {Fd3Error} `ERR_FD3_PLATFORM` if crossws cannot be loaded. */
export async function loadUpgrades(webSockets: WebSockets): Promise<Upgrades> {
  return new Upgrades(webSockets, await loadCrossws("node-http", () => import("crossws/adapters/node")));
}
