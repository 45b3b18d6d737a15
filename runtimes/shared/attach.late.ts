import type { ServerWays } from "../../src/attach/attach.ts";
import type { Engine } from "../../src/http/engine.ts";
import type { Address } from "../../src/types.ts";
import { builtin } from "./common.ts";
import { HttpConnections } from "./http/connections.ts";
import { NodeHttpEngine } from "./http/engine.ts";
import { Http2Engine } from "./http/http2_engine.ts";
import { type HttpParts, type HttpWays, netWays, stopAsNet } from "./http/listening.ts";
import type { NodeHttpServer } from "./http/types.ts";
import { FeedEngine, NetEngine } from "./net_engine.ts";
import { openServer } from "./net_fallback.late.ts";
import { adoptServer } from "./net_listener.ts";
import type { NetModule, NetServer, NetSocket } from "./node_types.ts";

export { attachServer } from "../../src/attach/attach.ts";

interface ServerClass {
  readonly Server: new () => NetServer;
}

/** Whether a server is of a module's class. */
export function isOf(module: string, server: NetServer): boolean {
  return (server as unknown) instanceof builtin<ServerClass>(module).Server;
}

/** Whether a server is of node:http2, whose classes have no public name. */
function isHttp2(server: NetServer): boolean {
  return typeof (server as { updateSettings?: unknown }).updateSettings === "function";
}

/** A server of node:http or node:https whose connections and requests are known from now on; `undefined` for any other. */
export function httpParts(server: NetServer): HttpParts | undefined {
  const isTls = isOf("node:https", server);
  if (isHttp2(server) || !(isTls || isOf("node:http", server))) return undefined;
  const http = server as NodeHttpServer;
  const connections = new HttpConnections(http);
  connections.noteUpgrades(http);
  // Before the user's own: it may send the headers at once.
  http.prependListener("request", (incoming, outgoing) => connections.began(incoming, outgoing));
  return { server: http, connections, isTls };
}

/** What drains a server of another module. */
export function netEngine(server: NetServer, address: Address, stop: () => void, end = () => {}): Engine {
  return new (isHttp2(server) ? Http2Engine : NetEngine)(server, { address, stop, end });
}

/** An attached server of node:http, and what drains it. */
export async function httpEngine(parts: HttpParts, listen: ReturnType<HttpWays["adopt"]>): Promise<Engine> {
  return new NodeHttpEngine(parts, await listen);
}

/** How a server takes its connections: one that hands it more must take them so, too. */
type ConnectionOptions = {
  readonly allowHalfOpen?: boolean;
  readonly pauseOnConnect?: boolean;
  readonly noDelay?: boolean;
};

/**
 * A server of node:net that hands its connections to another.
 *
 * @param server The other.
 */
export function feeder(server: NetServer): NetServer {
  const { emit } = server as unknown as { emit(event: string, value: unknown): boolean };
  const { allowHalfOpen = true, pauseOnConnect = false, noDelay = true } = server as ConnectionOptions;
  const feed = (socket: NetSocket) => void emit.call(server, "connection", socket);
  const net = builtin<NetModule>("node:net").createServer({ allowHalfOpen, pauseOnConnect, noDelay }, feed);
  // A failed accept is no end: without a listener it would be an uncaught error.
  net.on("error", () => {});
  return net;
}

/** On Node and Deno, whose servers listen on a descriptor by themselves. */
export const ways: ServerWays = {
  async adopt(server, host, choice) {
    const action = `attach to fd ${choice.fd}`;
    const parts = httpParts(server);
    if (parts !== undefined) return await httpEngine(parts, netWays.adopt(parts, host, choice, action));
    return netEngine(server, await adoptServer(server, host, choice, action), () => stopAsNet(server));
  },

  async feed(server, host, choice) {
    const net = feeder(server);
    const address = await adoptServer(net, host, choice, `attach to fd ${choice.fd}`);
    return new FeedEngine(net, { address, stop: () => void net.close(), end: () => {} });
  },

  async open(server, host, address, access) {
    const parts = httpParts(server);
    if (parts !== undefined) return await httpEngine(parts, netWays.open(parts, host, address, access));
    return netEngine(server, await openServer(host, server, address, access), () => stopAsNet(server));
  },
};
