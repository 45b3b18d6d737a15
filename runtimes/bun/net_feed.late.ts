import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import type { Engine } from "../../src/http/engine.ts";
import { EPOLLET } from "../../src/linux/constants.ts";
import { findRegistration, rearm } from "../../src/linux/epoll.ts";
import type { Address } from "../../src/types.ts";
import { feeder, isOf } from "../shared/attach.late.ts";
import { FeedEngine } from "../shared/net_engine.ts";
import { adoptServer } from "../shared/net_listener.ts";
import type { NetServer } from "../shared/node_types.ts";
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

interface Emitter {
  emit(event: string): boolean;
}

/** Where a server listens without a transplant. */
export interface Fed {
  readonly address: Exclude<Address, { transport: "vsock" }>;
  /** What accepts: the server itself, or one that hands its connections over. */
  readonly net: NetServer;
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
  // Of the two, it is the one that listens.
  if (net !== server) net.once("close", () => void (server as unknown as Emitter).emit("close"));
  const address = await adoptServer(net, host, choice, action);
  guard(net, choice.fd);
  return { address, net };
}

/**
 * Gives a server that listens already the connections of one more inherited socket.
 *
 * @throws {Fd3Error} `ERR_FD3_PLATFORM` for one with TLS: Bun's take no connections of others.
 */
export async function feedByNet(server: NetServer, choice: Choice): Promise<Engine> {
  if (isOf("node:https", server) || isOf("node:tls", server)) {
    const text = `Cannot attach to fd ${choice.fd}: on Bun a server with TLS has one socket`;
    throw new Fd3Error("ERR_FD3_PLATFORM", text);
  }
  const net = feeder(server);
  const address = await adoptServer(net, host, choice, `attach to fd ${choice.fd}`);
  guard(net, choice.fd);
  return new FeedEngine(net, { address, stop: () => void net.close(), end: () => {} });
}
