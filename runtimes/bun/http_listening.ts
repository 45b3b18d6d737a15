import type { Clients } from "../../src/linux/clients.ts";
import { unreadConnections } from "../../src/linux/handshake.ts";
import type { Address } from "../../src/types.ts";
import { type HttpListening, type HttpParts, type HttpWays, knownListening } from "../shared/http/listening.ts";
import { openServer } from "../shared/net_fallback.ts";
import { clientsAt } from "../shared/server_clients.ts";
import { bunHost as host } from "./host.ts";
import type { NodeHttpServer } from "../shared/http/types.ts";
import { findServeSocket } from "./serve/socket.ts";
import { transplantServer } from "./server_transplant.ts";

/**
 * Bun shows a connection of node:http only once it has sent something, and its close() ends those that have not: so the kernel is asked,
 * and close() comes last.
 */
function listening(
  { server, connections, isTls }: HttpParts,
  address: Address,
  clients: Clients | undefined,
  stop: () => void,
): HttpListening {
  return {
    address,
    stop() {
      clients?.complete();
      stop();
    },
    unread() {
      // Of a Unix socket the kernel does not tell it. A connection that has sent half a request is known all the same.
      const unread = clients &&
        unreadConnections(clients, isTls, connections.inFlight === 0 && connections.streams === 0);
      return unread === undefined ? connections.unread || undefined : Math.max(unread, connections.unread);
    },
    connections: () => clients?.sockets().length,
    end() {
      connections.end();
      server.close();
    },
    abort() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** On Bun, where no server of node:http takes a descriptor. */
export const bunWays: HttpWays = {
  async adopt(parts, _host, choice, action) {
    const { server } = parts;
    const transplanted = await transplantServer(server, choice, action).catch(async (error) => {
      if (error.code !== "ERR_FD3_TRANSPLANT") throw error;
      const { listenByNet } = await import("./net_feed.ts");
      const { address, net } = await listenByNet(server, choice, action, error);
      const { ref, unref } = net as NodeHttpServer;
      Object.assign(server, { ref: ref.bind(net), unref: unref.bind(net) });
      host.warn(`${error.message}; node:net accepts for it, which is slower`);
      return knownListening(parts, address, () => void net.close());
    });
    if ("end" in transplanted) return transplanted;
    const { address, clients, socket, giveUp } = transplanted;
    await transplanted.listening;
    return listening(parts, address, clients, () => {
      socket.release();
      giveUp();
    });
  },

  async open(parts, _host, fallback, access) {
    const { server } = parts;
    const clients = clientsAt(host, fallback);
    const address = await openServer(host, server, fallback, access);
    if (clients !== undefined) clients.listener = address;
    const socket = findServeSocket(address);
    return listening(parts, address, clients, () => socket === undefined ? void server.close() : socket.release());
  },
};
