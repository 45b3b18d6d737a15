import type { FileAccess } from "../../src/types.ts";
import { type FallbackAddress, formatAddress } from "../../src/activation/address.ts";
import type { Host } from "../../src/host.ts";
import { PushListener } from "../../src/stream/listener.ts";
import { makeServer, serverAddress, startServer } from "./net_listener.ts";
import type { NetServer } from "./node_types.ts";
import { runtimePath } from "./common.ts";
import { openFallback } from "./socket_file.ts";

/** Starts a server at a fallback address, and gives where it really listens. */
export async function openServer(
  host: Host,
  server: NetServer,
  address: FallbackAddress,
  access: FileAccess,
): Promise<FallbackAddress> {
  const isUnix = address.transport === "unix";
  const options = isUnix ? { path: runtimePath(address.path) } : { host: address.hostname, port: address.port };
  await openFallback(host, address, access, "close", async () => {
    await startServer(server, options, `listen on ${formatAddress(address)}`);
    return server;
  });
  return isUnix ? address : serverAddress(server);
}

/** Opens an address with node:net. */
export async function openNet(host: Host, fallback: FallbackAddress, access: FileAccess): Promise<PushListener> {
  const { server, feed } = makeServer();
  const address = await openServer(host, server, fallback, access);
  const stop = () => void server.close();
  const listener = new PushListener({ address, activated: false, name: undefined, stop });
  feed(listener);
  return listener;
}
