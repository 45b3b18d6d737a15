import type { FallbackAddress } from "../activation/address.ts";
import type { Choice } from "../activation/choose.ts";
import type { Host } from "../host.ts";
import type { Engine } from "../http/engine.ts";
import { checkEndOptions } from "../http/options.ts";
import { EngineServer, openParts, type ServerParts } from "../http/server.ts";
import type { Adapter } from "../listen.ts";
import type { ServiceHost } from "../service/host.ts";
import { serverLog } from "../service/report.ts";
import type { FileAccess } from "../types.ts";
import type { AttachOptions, NetServer } from "./types.ts";

/** How a runtime makes a server of Node's modules listen. Each way settles once the server listens, with what drains it. */
export interface ServerWays {
  /** On an inherited descriptor. On a failure the descriptor is as it was. */
  adopt(server: NetServer, host: Host, choice: Choice): Promise<Engine>;
  /** On one more inherited descriptor, whose connections it is given: a server of Node's listens once. */
  feed(server: NetServer, host: Host, choice: Choice): Promise<Engine>;
  /** At an address. */
  open(server: NetServer, host: Host, address: FallbackAddress, access: FileAccess): Promise<Engine>;
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
 * @param runtime The runtime, and whose stderr it is.
 * @param ways How it makes a server listen.
 */
export async function attachServer(
  { host, service }: { readonly host: Host; readonly service: ServiceHost },
  ways: ServerWays,
  server: NetServer,
  options: AttachOptions,
): Promise<EngineServer> {
  checkServer(server);
  const { signal, drainTimeout, streamTimeout } = Object(options) as AttachOptions;
  checkEndOptions("attach", { signal, drainTimeout, streamTimeout });
  const log = serverLog(() => service);
  let isFirst = true;
  const adapter: Adapter<ServerParts> = {
    host,
    async adopt(choice) {
      const way = isFirst ? ways.adopt : ways.feed;
      isFirst = false;
      return { engine: await way(server, host, choice), log, activated: true, name: choice.name };
    },
    open: async (address, access) => ({
      engine: await ways.open(server, host, address, access),
      log,
      activated: false,
      name: undefined,
    }),
  };
  return new EngineServer(await openParts(adapter, options), { signal, drainTimeout, streamTimeout });
}
