import type { FallbackAddress } from "../../src/activation/address.ts";
import { addressOf, type Choice } from "../../src/activation/choose.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import { inheritedBacklog, longestBacklog } from "../../src/linux/backlog.ts";
import { PushListener } from "../../src/stream/listener.ts";
import { systemError } from "../../src/system_error.ts";
import { builtin } from "./common.ts";
import { netConnection } from "./net_connection.ts";
import type { NetModule, NetServer, NetSocket } from "./node_types.ts";

/** `longestBacklog` for Deno, which rounds the length up to a power of two: 2^31 overflows there. */
const longestDenoBacklog = 65535;

/**
 * Starts a server, and waits until it listens.
 *
 * @param action What this is, for errors.
 * @param backlog The accept queue's length, as an argument of its own: with a descriptor, Node does not look for it among the options.
 */
export function startServer(server: NetServer, options: object, action: string, backlog?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(systemError(action, error));
    server.once("error", fail);
    server.listen(options, backlog, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

/** Where a server listens, as far as the runtime knows. */
export function serverAddress(server: NetServer): FallbackAddress {
  const address = server.address();
  if (address === null || typeof address === "string") return { transport: "unix", path: address ?? "" };
  return { transport: "tcp", hostname: address.address, port: address.port };
}

/**
 * Starts a server on an inherited descriptor, and gives where it listens. The accept queue keeps its length, which listen(2) sets
 * anew: where it cannot be read, the longest is asked for.
 *
 * @param action What this is, for errors.
 */
export async function adoptServer(
  server: NetServer,
  host: Host,
  choice: Choice,
  action: string,
): Promise<FallbackAddress> {
  const { fd } = choice;
  const address = addressOf(choice);
  const backlog = inheritedBacklog(host, choice);
  const longest = host.runtime === "Deno" ? longestDenoBacklog : longestBacklog;
  await startServer(server, { fd }, action, backlog ?? longest);
  const libc = host.libc();
  // Deno rounds the length up to a power of two, and Bun asks for 511 whatever it is given.
  if (hasLibc(libc)) libc.listen(fd, backlog ?? longestBacklog);
  return address ?? serverAddress(server);
}

/** A server whose connections wait for a listener. */
export interface PendingServer {
  readonly server: NetServer;
  /** From now on connections go to this listener; those that came before go first. */
  feed(listener: PushListener): void;
}

/** A server of node:net that has no listener yet. */
export function makeServer(): PendingServer {
  let target: PushListener | undefined;
  const early: NetSocket[] = [];
  const server = builtin<NetModule>("node:net").createServer({ allowHalfOpen: true }, (socket) => {
    if (target === undefined) early.push(socket);
    else target.push(netConnection(socket, target.address));
  });
  return {
    server,
    feed(listener) {
      target = listener;
      // A failed accept is no end: without a listener it would be an uncaught error.
      server.on("error", () => {});
      for (const socket of early.splice(0)) listener.push(netConnection(socket, listener.address));
    },
  };
}

/** A stream listener of node:net on an inherited descriptor. */
export async function adoptNet(host: Host, choice: Choice): Promise<PushListener> {
  const { server, feed } = makeServer();
  const address = await adoptServer(server, host, choice, `adopt fd ${choice.fd} as a stream listener`);
  const stop = () => void server.close();
  const listener = new PushListener({ address, activated: true, name: choice.name, stop });
  feed(listener);
  return listener;
}
