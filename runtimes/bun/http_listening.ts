import { acceptedSockets, unreadSockets } from "../../src/linux/accepted.ts";
import { maybeShakingHands } from "../../src/linux/handshake.ts";
import { recentLook } from "../../src/linux/look.ts";
import { hasLibc } from "../../src/host.ts";
import type { Address } from "../../src/types.ts";
import type { HttpListening, HttpParts, HttpWays } from "../shared/http_listening.ts";
import { openServer } from "../shared/net_fallback.ts";
import { bunHost as host } from "./host.ts";
import type { NodeHttpServer } from "../shared/http_types.ts";
import type { Fed } from "./net_feed.ts";
import { findServeSocket } from "./serve_socket.ts";
import { transplantServer } from "./server_transplant.ts";

/**
 * Bun shows a connection of node:http only once it has sent something, and its close() ends those that have not: so the kernel is asked,
 * and close() comes last.
 */
function listening({ server, connections, isTls }: HttpParts, address: Address, stop: () => void): HttpListening {
  const found = host.libc();
  const libc = hasLibc(found) ? found : undefined;
  return {
    address,
    stop,
    unread() {
      // Of a Unix socket the kernel does not tell it. A connection that has sent half a request is known all the same.
      if (libc === undefined || address.transport !== "tcp") return connections.unread || undefined;
      const fds = acceptedSockets(libc, address, recentLook(libc));
      const young = new Set(isTls ? maybeShakingHands(libc, fds) : []);
      return young.size + unreadSockets(libc, fds.filter((fd) => !young.has(fd))) + connections.unread;
    },
    connections: () => libc === undefined ? undefined : acceptedSockets(libc, address, recentLook(libc)).length,
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
