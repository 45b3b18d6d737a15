import { type FallbackAddress, formatAddress } from "../../src/activation/address.ts";
import { PushListener } from "../../src/stream/listener.ts";
import { makeServer, serverAddress, startServer } from "./net_listener.ts";
import type { NetServer } from "./node_types.ts";
import { runtimePath } from "./paths.ts";
import { openFallback } from "./socket_file.ts";

/** Starts a server at a fallback address, and gives where it really listens. */
export async function openServer(
  server: NetServer,
  address: FallbackAddress,
  mode: number | undefined,
): Promise<FallbackAddress> {
  const isUnix = address.transport === "unix";
  const options = isUnix ? { path: runtimePath(address.path) } : { host: address.hostname, port: address.port };
  await openFallback(address, mode, "close", async () => {
    await startServer(server, options, `listen on ${formatAddress(address)}`);
    return server;
  });
  return isUnix ? address : serverAddress(server);
}

/** Opens an address with node:net. */
export async function openNet(fallback: FallbackAddress, mode: number | undefined): Promise<PushListener> {
  const { server, feed } = makeServer();
  const address = await openServer(server, fallback, mode);
  const stop = () => void server.close();
  const listener = new PushListener({ address, activated: false, name: undefined, stop });
  feed(listener);
  return listener;
}
