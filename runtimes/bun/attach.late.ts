import type { Choice } from "../../src/activation/choose.ts";
import type { ServerWays } from "../../src/attach/attach.ts";
import type { Engine } from "../../src/http/engine.ts";
import type { Address } from "../../src/types.ts";
import { httpParts, netEngine } from "../shared/attach.late.ts";
import { NodeHttpEngine } from "../shared/http/engine.ts";
import { type HttpListening, type HttpParts, stopAsNet } from "../shared/http/listening.ts";
import type { NodeHttpServer } from "../shared/http/types.ts";
import { openServer } from "../shared/net_fallback.late.ts";
import type { NetAddress, NetServer } from "../shared/node_types.ts";
import { runtimePath } from "../shared/common.ts";
import { bunHost as host } from "./host.ts";
import { adoptHttp, bunWays } from "./http_listening.ts";
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

/** Makes a server of node:http that node:net feeds look as if it listened itself, until it is closed. */
function speakFor(server: NodeHttpServer, listening: HttpListening): void {
  const own: PropertyDescriptorMap = {
    address: { configurable: true, writable: true, value: () => shownAddress(listening.address) },
    listening: { configurable: true, value: true },
    close: {
      configurable: true,
      writable: true,
      value(callback?: () => void) {
        for (const name of Object.keys(own)) Reflect.deleteProperty(server, name);
        if (callback !== undefined) server.once("close", callback);
        listening.stop();
        listening.end();
        return server;
      },
    },
  };
  Object.defineProperties(server, own);
  // It is called behind close(), too.
  Object.assign(server, { closeAllConnections: () => listening.abort() });
  (server as unknown as { emit(event: string): boolean }).emit("listening");
}

/** A server of node:http or node:https on an inherited socket. */
async function attachHttp(parts: HttpParts, choice: Choice, action: string): Promise<Engine> {
  const { server } = parts;
  const { listening, ready, fedSince } = await adoptHttp(parts, choice, action);
  if (fedSince === undefined) {
    untilClosed(server, { address: () => shownAddress(listening.address) }, () => listening.stop());
  } else {
    host.warn(`${fedSince.message}; node:net accepts for it, which is slower`);
    speakFor(server, listening);
  }
  await ready;
  return new NodeHttpEngine(parts, listening);
}

/** A server of another module on an inherited socket. */
async function adoptNet(server: NetServer, choice: Choice, action: string): Promise<Engine> {
  const transplanted = await transplantServer(server, choice, action).catch(async (error) => {
    if (error.code !== "ERR_FD3_TRANSPLANT") throw error;
    const { listenByNet } = await import("./net_feed.late.ts");
    return await listenByNet(server, choice, action, error);
  });
  const { address } = transplanted;
  const shown = { address: () => shownAddress(address) };
  if ("net" in transplanted) {
    untilClosed(server, shown, () => {});
    return netEngine(server, address, () => stopAsNet(server));
  }
  const { socket, giveUp, listening } = transplanted;
  untilClosed(server, shown, () => {
    socket.forget();
    giveUp();
  });
  await listening;
  const stop = () => {
    socket.release();
    giveUp();
  };
  return netEngine(server, address, stop, () => void server.close());
}

/** On Bun, whose servers of node:http and the like ignore a descriptor. */
export const ways: ServerWays = {
  async adopt(server, _host, choice) {
    const action = `attach to fd ${choice.fd}`;
    const parts = httpParts(server);
    return parts === undefined ? await adoptNet(server, choice, action) : await attachHttp(parts, choice, action);
  },

  async feed(server, _host, choice) {
    const { feedByNet } = await import("./net_feed.late.ts");
    return await feedByNet(server, choice);
  },

  async open(server, _host, fallback, access) {
    const parts = httpParts(server);
    if (parts !== undefined) {
      const listening = await bunWays.open(parts, host, fallback, access);
      untilClosed(server, {}, () => listening.stop());
      return new NodeHttpEngine(parts, listening);
    }
    const address = await openServer(host, server, fallback, access);
    const socket = findServeSocket(address);
    if (socket === undefined) return netEngine(server, address, () => stopAsNet(server));
    untilClosed(server, {}, () => socket.forget());
    return netEngine(server, address, () => socket.release(), () => void server.close());
  },
};
