import type { FallbackAddress } from "../../../src/activation/address.ts";
import type { Choice } from "../../../src/activation/choose.ts";
import type { Host } from "../../../src/host.ts";
import type { Address, FileAccess } from "../../../src/types.ts";
import type { HttpConnections } from "./connections.ts";
import type { NodeHttpServer } from "./types.ts";
import { adoptServer } from "../net_listener.ts";
import { openServer } from "../net_fallback.late.ts";
import type { NetServer } from "../node_types.ts";

/** A server of node:http that does not listen yet. */
export interface HttpParts {
  readonly server: NodeHttpServer;
  readonly connections: HttpConnections;
  readonly isTls: boolean;
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

/**
 * How a server listens whose connections are known from their acceptance on, without libc, and for Unix sockets too: each says how many bytes
 * it has read.
 *
 * @param stop Stops accepting, and touches no connection.
 */
export function knownListening({ connections }: HttpParts, address: Address, stop: () => void): HttpListening {
  return {
    address,
    stop,
    unread: () => connections.unread,
    connections: () => connections.size,
    end: () => connections.end(),
    abort: () => connections.destroy(),
  };
}

/**
 * Stops a server without its idle connections: the close() of node:http ends them as well, also one whose request has arrived and was not read
 * yet.
 */
export function stopAsNet(server: NetServer): void {
  if (!server.listening) return;
  const before = Object.getOwnPropertyDescriptor(server, "closeIdleConnections");
  Object.defineProperty(server, "closeIdleConnections", { configurable: true, value: () => {} });
  try {
    Object.getPrototypeOf(server).close.call(server);
  } finally {
    if (before === undefined) Reflect.deleteProperty(server, "closeIdleConnections");
    else Object.defineProperty(server, "closeIdleConnections", before);
  }
}

/** How a runtime makes a server of node:http listen. */
export interface HttpWays {
  /** On an inherited descriptor. On a failure it is as it was. */
  adopt(parts: HttpParts, host: Host, choice: Choice, action: string): Promise<HttpListening>;
  /** At an address. */
  open(parts: HttpParts, host: Host, address: FallbackAddress, access: FileAccess): Promise<HttpListening>;
}

/** On Node and Deno, where a server of node:http is one of node:net. */
export const netWays: HttpWays = {
  async adopt(parts, host, choice, action) {
    const address = await adoptServer(parts.server, host, choice, action);
    return knownListening(parts, address, () => stopAsNet(parts.server));
  },

  async open(parts, host, address, access) {
    const real = await openServer(host, parts.server, address, access);
    return knownListening(parts, real, () => stopAsNet(parts.server));
  },
};
