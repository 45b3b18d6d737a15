import { acceptedSockets, unreadSockets } from "../../src/linux/accepted.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { hasLibc } from "../../src/host.ts";
import type { Address } from "../../src/types.ts";
import type { HttpListening, HttpParts, HttpWays } from "../shared/http_listening.ts";
import { openServer } from "../shared/net_listener.ts";
import { host } from "./host.ts";
import { findServeSocket } from "./serve_socket.ts";
import { transplantServer } from "./server_transplant.ts";

/**
 * Bun shows a connection of node:http only once it has sent something, and its close() ends those that have not: so the kernel is asked,
 * and close() comes last.
 */
function listening({ server, connections }: HttpParts, address: Address, stop: () => void): HttpListening {
  const found = host.libc();
  const libc: Libc | undefined = hasLibc(found) ? found : undefined;
  const accepted = () => libc === undefined ? undefined : acceptedSockets(libc, address);
  return {
    address,
    stop,
    unread() {
      const fds = address.transport === "tcp" ? accepted() : undefined;
      if (fds !== undefined) return unreadSockets(libc!, fds) + connections.unread;
      // Of a Unix socket the kernel does not tell it. One that has sent half a request is known.
      return connections.unread === 0 ? undefined : connections.unread;
    },
    connections: () => accepted()?.length,
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
    const { address, socket, giveUp } = transplanted;
    await transplanted.listening;
    return listening(parts, address, () => {
      socket.release();
      giveUp();
    });
  },

  async open(parts, fallback, mode) {
    const { server } = parts;
    const address = await openServer(server, fallback, mode);
    const socket = findServeSocket(address);
    return listening(parts, address, () => socket === undefined ? void server.close() : socket.release());
  },
};
