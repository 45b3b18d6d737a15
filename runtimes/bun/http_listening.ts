import type { Clients } from "../../src/linux/clients.ts";
import { unreadConnections } from "../../src/linux/handshake.ts";
import type { Address } from "../../src/types.ts";
import type { HttpListening, HttpParts, HttpWays } from "../shared/http/listening.ts";
import { openServer } from "../shared/net_fallback.ts";
import { clientsAt } from "../shared/server_clients.ts";
import { bunHost as host } from "./host.ts";
import type { NodeHttpServer } from "../shared/http/types.ts";
import type { Fed } from "./net_feed.ts";
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

/** Of a server that node:net feeds each connection is known from its acceptance on, as on Node. */
function fedListening({ server, connections }: HttpParts, { address, net }: Fed): HttpListening {
  const { ref, unref } = net as NodeHttpServer;
  Object.assign(server, { ref: ref.bind(net), unref: unref.bind(net) });
  return {
    address,
    stop: () => void net.close(),
    unread: () => connections.unread,
    connections: () => connections.size,
    end: () => connections.end(),
    abort: () => connections.destroy(),
  };
}

/** On Bun, where no server of node:http takes a descriptor. */
export const bunWays: HttpWays = {
  async adopt(parts, _host, choice) {
    const action = `serve on fd ${choice.fd}`;
    const transplanted = await transplantServer(parts.server, choice, action).catch(async (error) => {
      if (error.code !== "ERR_FD3_TRANSPLANT") throw error;
      const { listenByNet } = await import("./net_feed.ts");
      return fedListening(parts, await listenByNet(parts.server, choice, action, error));
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
