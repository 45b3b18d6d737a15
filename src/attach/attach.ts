import type { FallbackAddress } from "../activation/address.ts";
import type { Choice } from "../activation/choose.ts";
import type { Host } from "../host.ts";
import { listenWith } from "../listen.ts";
import type { Address, FileAccess } from "../types.ts";
import type { Attached, AttachOptions, NetServer } from "./types.ts";

/** How a runtime makes a server of Node's modules listen. Each way settles once the server listens, with its address. */
export interface ServerWays {
  /** On an inherited descriptor. On a failure the descriptor is as it was. */
  adopt(server: NetServer, host: Host, choice: Choice): Promise<Address>;
  /** At an address. */
  open(server: NetServer, host: Host, address: FallbackAddress, access: FileAccess): Promise<Address>;
}

function checkServer(server: NetServer): void {
  if (typeof server?.listen !== "function") {
    throw new TypeError(`Cannot attach: server is ${typeof server}, not a server of node:net or the like`);
  }
  if (server.listening) throw new TypeError("Cannot attach: server is listening already");
}

/**
 * See {@linkcode Api.attach}.
 *
 * @param host The runtime.
 * @param ways How it makes a server listen.
 */
export async function attachServer(
  host: Host,
  ways: ServerWays,
  server: NetServer,
  options: AttachOptions,
): Promise<Attached> {
  checkServer(server);
  return await listenWith<Attached>({
    host,
    adopt: async (choice) => ({
      address: await ways.adopt(server, host, choice),
      activated: true,
      name: choice.name,
    }),
    open: async (address, access) => ({
      address: await ways.open(server, host, address, access),
      activated: false,
      name: undefined,
    }),
  }, options);
}
