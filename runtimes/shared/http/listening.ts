import type { FallbackAddress } from "../../../src/activation/address.ts";
import type { Choice } from "../../../src/activation/choose.ts";
import type { Host } from "../../../src/host.ts";
import type { Address, FileAccess } from "../../../src/types.ts";
import { builtin } from "../builtin.ts";
import type { HttpConnections } from "./connections.ts";
import type { NodeHttpServer } from "./types.ts";
import { adoptServer } from "../net_listener.ts";
import { openServer } from "../net_fallback.ts";
import type { NetServer } from "../node_types.ts";

/** A server of node:http that does not listen yet. */
export interface HttpParts {
  readonly server: NodeHttpServer;
  readonly connections: HttpConnections;
  readonly isTls: boolean;
  /** What a client asks that sends no Host header. */
  readonly authority: { hostname: string };
}

/** What listening depends on the runtime for. */
export interface HttpListening {
  readonly address: Address;
  /** Stops accepting, and touches no connection. */
  stop(): void;
  /** See `Engine.unread`. */
  unread(): number | undefined;
  /** See `Engine.connections`. */
  connections(): number | undefined;
  /** Ends idle connections, and the others once they are. */
  end(): void;
  /** Cuts all connections off. */
  abort(): void;
}

function listening({ server, connections }: HttpParts, address: Address): HttpListening {
  return {
    address,
    stop: () => void server.close(),
    // Known without libc, and for Unix sockets too: each connection says how many bytes it has read.
    unread: () => connections.unread,
    connections: () => connections.size,
    end: () => connections.end(),
    abort: () => connections.destroy(),
  };
}

/**
 * Makes a server's close() that of node:net: its own ends idle connections as well, also one whose request has arrived and was not
 * read yet.
 */
function closeAsNet(server: NodeHttpServer): void {
  const { Server } = builtin<{ Server: { prototype: NetServer } }>("node:net");
  const close = () => Server.prototype.close.call(server);
  Object.defineProperty(server, "close", { configurable: true, writable: true, value: close });
  // Its own also ends its timer, when there is nothing else left to close.
  server.once("close", () => Object.getPrototypeOf(server).close.call(server));
}

/** How a runtime makes a server of node:http listen. */
export interface HttpWays {
  /** On an inherited descriptor. On a failure it is as it was. */
  adopt(parts: HttpParts, host: Host, choice: Choice): Promise<HttpListening>;
  /** At an address. */
  open(parts: HttpParts, host: Host, address: FallbackAddress, access: FileAccess): Promise<HttpListening>;
}

/** On Node and Deno, where a server of node:http is one of node:net. */
export const netWays: HttpWays = {
  async adopt(parts, host, choice) {
    closeAsNet(parts.server);
    return listening(parts, await adoptServer(parts.server, host, choice, `serve on fd ${choice.fd}`));
  },

  async open(parts, host, address, access) {
    closeAsNet(parts.server);
    return listening(parts, await openServer(host, parts.server, address, access));
  },
};
