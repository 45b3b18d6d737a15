import type { Clients } from "../../src/linux/clients.ts";
import { unreadConnections } from "../../src/linux/handshake.ts";
import type { Address } from "../../src/types.ts";
import type { HttpListening, HttpParts, HttpWays } from "../shared/http_listening.ts";
import { openServer } from "../shared/net_fallback.ts";
import { clientsAt } from "../shared/server_clients.ts";
import { bunHost as host } from "./host.ts";
import { findServeSocket } from "./serve_socket.ts";
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
      const unread = clients && unreadConnections(clients, isTls);
      return unread === undefined ? connections.unread || undefined : unread + connections.unread;
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
  async adopt(parts, _host, choice) {
    const transplanted = await transplantServer(parts.server, choice, `serve on fd ${choice.fd}`);
    const { address, clients, socket, giveUp } = transplanted;
    await transplanted.listening;
    return listening(parts, address, clients, () => {
      socket.release();
      giveUp();
    });
  },

  async open(parts, fallback, mode) {
    const { server } = parts;
    const clients = clientsAt(host, fallback);
    const address = await openServer(server, fallback, mode);
    if (clients !== undefined) clients.listener = address;
    const socket = findServeSocket(address);
    return listening(parts, address, clients, () => socket === undefined ? void server.close() : socket.release());
  },
};
