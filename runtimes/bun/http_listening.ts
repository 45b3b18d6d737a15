import type { Choice } from "../../src/activation/choose.ts";
import type { Fd3Error } from "../../src/errors.ts";
import { type Clients, clientsAt } from "../../src/linux/clients.ts";
import { unreadConnections } from "../../src/linux/handshake.ts";
import type { Address } from "../../src/types.ts";
import { type HttpListening, type HttpParts, type HttpWays, knownListening } from "../shared/http/listening.ts";
import { openServer } from "../shared/net_fallback.late.ts";
import { bunHost as host } from "./host.ts";
import type { NodeHttpServer } from "../shared/http/types.ts";
import { findServeSocket } from "./serve/socket.ts";
import { transplantServer } from "./server_transplant.ts";

/** How many accepted connections owe a request, as far as that is known. */
function unreadOf({ connections, isTls }: HttpParts, clients: Clients | undefined): number | undefined {
  if (clients === undefined) return connections.unread || undefined;
  const isCalm = connections.inFlight === 0 && connections.streams === 0;
  const unread = unreadConnections(clients, { isTls, isCalm });
  // Of a Unix socket, and of who has shaken hands by TLS, the kernel does not tell it: but those that have asked are all known.
  const silent = isTls || unread === undefined ? clients.sockets().length - connections.asked : 0;
  return Math.max(unread ?? 0, connections.unread, silent);
}

/**
 * Bun shows a connection of node:http only once it has sent something, and its close() ends those that have not: so the kernel is asked,
 * and close() comes last.
 */
function listening(
  parts: HttpParts,
  address: Address,
  clients: Clients | undefined,
  stop: () => void,
): HttpListening {
  const { server, connections } = parts;
  return {
    address,
    stop() {
      clients?.complete();
      stop();
    },
    unread: () => unreadOf(parts, clients),
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

/** A server of node:http on its way. */
interface Adopted {
  readonly listening: HttpListening;
  /** Settles when the server has said that it listens: at its placeholder, unless something is put in place before. */
  readonly ready: Promise<void>;
  /** Whether node:net accepts for it, which is slower, and why. */
  readonly fedSince?: Error;
}

/** Makes a server of node:http listen on an inherited socket. */
export async function adoptHttp(parts: HttpParts, choice: Choice, action: string): Promise<Adopted> {
  const { server } = parts;
  try {
    const { address, clients, socket, giveUp, listening: ready } = await transplantServer(server, choice, action);
    const stop = () => {
      socket.release();
      giveUp();
    };
    return { listening: listening(parts, address, clients, stop), ready };
  } catch (error) {
    if ((error as Fd3Error).code !== "ERR_FD3_TRANSPLANT") throw error;
    const { listenByNet } = await import("./net_feed.late.ts");
    const { address, net } = await listenByNet(server, choice, action, error);
    const { ref, unref } = net as NodeHttpServer;
    Object.assign(server, { ref: ref.bind(net), unref: unref.bind(net) });
    const fed = knownListening(parts, address, () => void net.close());
    return { listening: fed, ready: Promise.resolve(), fedSince: error as Error };
  }
}

/** On Bun, where no server of node:http takes a descriptor. */
export const bunWays: HttpWays = {
  async adopt(parts, _host, choice, action) {
    const { listening, ready } = await adoptHttp(parts, choice, action);
    await ready;
    return listening;
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
