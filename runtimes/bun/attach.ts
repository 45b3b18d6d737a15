import type { Choice } from "../../src/activation/choose.ts";
import type { ServerWays } from "../../src/attach/attach.ts";
import type { Address } from "../../src/types.ts";
import { HttpConnections } from "../shared/http/connections.ts";
import type { IncomingMessage, NodeHttpServer, ServerResponse } from "../shared/http/types.ts";
import { openServer } from "../shared/net_fallback.ts";
import type { NetAddress, NetServer } from "../shared/node_types.ts";
import { runtimePath } from "../shared/paths.ts";
import { bunHost as host } from "./host.ts";
import type { Fed } from "./net_feed.ts";
import { findServeSocket } from "./serve/socket.ts";
import { transplantServer } from "./server_transplant.ts";

export { attachServer } from "../../src/attach/attach.ts";

/**
 * Puts methods of our own on a server until it is closed.
 *
 * @param replaced What it is given besides `close()`.
 * @param action What comes before its own `close()`, which closes what Bun takes for its socket.
 */
function untilClosed(server: NetServer, replaced: Partial<NetServer>, action: () => void): void {
  const before = Object.getOwnPropertyDescriptor(server, "close");
  const { close } = server;
  const methods: Partial<NetServer> = {
    ...replaced,
    close(callback) {
      // It may listen again, somewhere else. What others have put in the place of these stays.
      for (const [name, method] of Object.entries(methods)) {
        if (server[name as keyof NetServer] === method) delete (server as Partial<NetServer>)[name as keyof NetServer];
      }
      if (before !== undefined && !Object.hasOwn(server, "close")) Object.defineProperty(server, "close", before);
      action();
      return close.call(server, callback);
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(server, name, { configurable: true, writable: true, value });
  }
}

/** What `server.address()` says on Node. */
function shownAddress(address: Address): ReturnType<NetServer["address"]> {
  if (address.transport !== "tcp") return runtimePath((address as { path: string }).path);
  const { hostname, port } = address;
  const family = hostname.includes(":") ? "IPv6" : "IPv4";
  return { address: hostname, family, port } as NetAddress;
}

/** Makes a server of node:http look as if it listened itself, until it is closed. */
function speakFor(server: NodeHttpServer, { address, net }: Fed): void {
  const connections = new HttpConnections(server);
  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    connections.of(incoming).began(outgoing);
  });
  const own: PropertyDescriptorMap = {
    address: { configurable: true, writable: true, value: () => shownAddress(address) },
    listening: { configurable: true, value: true },
    close: {
      configurable: true,
      writable: true,
      value(callback?: () => void) {
        for (const name of Object.keys(own)) Reflect.deleteProperty(server, name);
        if (callback !== undefined) server.once("close", callback);
        connections.startClosing();
        net.close();
        connections.end();
        return server;
      },
    },
  };
  Object.defineProperties(server, own);
  // These are called behind close(), too.
  Object.assign(server, {
    closeAllConnections: () => connections.destroy(),
    ref: () => (net as NodeHttpServer).ref(),
    unref: () => (net as NodeHttpServer).unref(),
  });
  (server as unknown as { emit(event: string): boolean }).emit("listening");
}

/**
 * Makes a server listen on an inherited socket.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if that does not work; the server is closed then.
 */
async function attachByTransplant(server: NetServer, choice: Choice): Promise<Address> {
  const action = `attach to fd ${choice.fd}`;
  const transplanted = await transplantServer(server, choice, action).catch(async (error) => {
    if (error.code !== "ERR_FD3_TRANSPLANT") throw error;
    const { listenByNet } = await import("./net_feed.ts");
    const fed = await listenByNet(server, choice, action, error);
    if (fed.net === server) {
      untilClosed(server, { address: () => shownAddress(fed.address) }, () => {});
    } else {
      speakFor(server as NodeHttpServer, fed);
      host.warn(`${error.message}; node:net accepts for it, which is slower`);
    }
    return fed;
  });
  if ("net" in transplanted) return transplanted.address;
  const { address, socket, giveUp, listening } = transplanted;
  untilClosed(server, { address: () => shownAddress(address) }, () => {
    socket.forget();
    giveUp();
  });
  await listening;
  return address;
}

/** Keeps a server that opened its own address from spinning when the descriptors run out. */
function guardAttached(server: NetServer, address: Address): void {
  const socket = findServeSocket(address);
  if (socket !== undefined) untilClosed(server, {}, () => socket.forget());
}

/** On Bun, whose servers of node:http and the like ignore a descriptor. */
export const ways: ServerWays = {
  adopt: (server, _host, choice) => attachByTransplant(server, choice),
  async open(server, _host, fallback, access) {
    const address = await openServer(host, server, fallback, access);
    guardAttached(server, address);
    return address;
  },
};
