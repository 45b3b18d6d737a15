import type { Choice } from "../../src/activation/choose.ts";
import { hasLibc } from "../../src/host.ts";
import { EPOLLET } from "../../src/linux/constants.ts";
import { findRegistration, rearm } from "../../src/linux/epoll.ts";
import type { Address } from "../../src/types.ts";
import { builtin } from "../shared/builtin.ts";
import { isOf } from "../shared/attach.ts";
import { adoptServer } from "../shared/net_listener.ts";
import type { NetModule, NetServer, NetSocket } from "../shared/node_types.ts";
import { bunHost as host } from "./host.ts";
import { Patrol } from "./patrol.ts";

/** Keeps Bun from spinning on a descriptor that it was given when the descriptors run out, until the server is closed. */
function guard(server: NetServer, fd: number): void {
  const libc = host.libc();
  if (!hasLibc(libc)) return;
  try {
    const registration = findRegistration(libc, fd);
    rearm(libc, registration, EPOLLET);
    const patrol = new Patrol(libc, registration);
    server.once("close", () => patrol.stop());
  } catch {
    // Without it everything works but for the spinning.
  }
}

/** Where a server listens without a transplant. */
export interface Fed {
  readonly address: Exclude<Address, { transport: "vsock" }>;
  /** What accepts: the server itself, or one that hands its connections over. */
  readonly net: NetServer;
}

/** `http.Server` of Bun listens on a port of its own whatever descriptor it is given; it takes connections that others have accepted. */
function feeder(server: NetServer): NetServer {
  const { emit } = server as unknown as { emit(event: string, value?: unknown): boolean };
  const feed = (socket: NetSocket) => void emit.call(server, "connection", socket);
  const net = builtin<NetModule>("node:net").createServer({ allowHalfOpen: true }, feed);
  net.on("error", () => {});
  net.once("close", () => void emit.call(server, "close"));
  return net;
}

/**
 * Makes a server listen on an inherited socket where Bun can open no placeholder: RestrictAddressFamilies= without AF_INET and AF_INET6, say.
 * Slower than a transplant for HTTP.
 *
 * @throws What kept the transplant from working, for https and tls: Bun's take no connections of others.
 * @param server The server, not listening.
 * @param choice The inherited socket.
 * @param action What this is, for errors.
 * @param obstacle Why there is no transplant.
 */
export async function listenByNet(
  server: NetServer,
  choice: Choice,
  action: string,
  obstacle: unknown,
): Promise<Fed> {
  if (isOf("node:https", server) || isOf("node:tls", server)) throw obstacle;
  const net = isOf("node:http", server) ? feeder(server) : server;
  const address = await adoptServer(net, host, choice, action);
  guard(net, choice.fd);
  return { address, net };
}
