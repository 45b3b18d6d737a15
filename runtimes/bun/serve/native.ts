import { ownOptions } from "../../../src/activation/choose.ts";
import { type Adapter, listenWith } from "../../../src/listen.ts";
import type { ListenOptions } from "../../../src/types.ts";
import { runtimePath } from "../../shared/paths.ts";
import { bunHost as host } from "../host.ts";
import { hotPlace } from "./hot.ts";
import { adoptServe, type OpenedServer, openServe } from "./open.ts";
import type { BunServeOptions, BunServer } from "../types.ts";

/** Options of `serveNative()`: those of `listen()` and of `Bun.serve()`. */
export interface ServeNativeOptions extends ListenOptions, BunServeOptions {}

/** The URL of a server, as Bun makes it. */
function urlOf({ native, address }: OpenedServer): URL {
  if (address.transport === "unix") {
    const isAbstract = address.path.startsWith("@");
    return new URL(isAbstract ? `abstract://${encodeURIComponent(address.path.slice(1))}/` : `unix://${address.path}`);
  }
  // A URL has no place for the scope of a link-local address.
  const hostname = address.hostname.split("%")[0];
  return new URL(`${native.protocol}://${hostname.includes(":") ? `[${hostname}]` : hostname}:${address.port}/`);
}

/** What Bun says of the address is the placeholder's. */
function tellAddress(opened: OpenedServer): void {
  const { native, address } = opened;
  let url: URL | undefined;
  const properties: PropertyDescriptorMap = { url: { get: () => url ??= urlOf(opened) } };
  if (address.transport === "tcp") {
    const { hostname, port } = address;
    const family = hostname.includes(":") ? "IPv6" : "IPv4";
    properties.hostname = { value: hostname };
    properties.port = { value: port };
    properties.address = { value: { address: hostname, family, port } };
    const fetch = native.fetch.bind(native);
    const complete = (request: Request | string) =>
      typeof request === "string" && request.startsWith("/") ? new URL(request, native.url).href : request;
    properties.fetch = { value: (request: Request | string) => fetch(complete(request)) };
  } else {
    properties.address = { value: runtimePath(address.path) };
  }
  Object.defineProperties(native, properties);
}

/** See `serveNative` of the entry point. */
export async function openServeNative(options: ServeNativeOptions): Promise<BunServer> {
  const own: BunServeOptions = ownOptions(options);
  const place = hotPlace(options);
  if (place?.server !== undefined) return place.server.reload(own);
  const adapter: Adapter<OpenedServer> = {
    host,
    adopt(choice) {
      const opened = adoptServe(choice, own);
      // Now: a request may come in the next turn.
      tellAddress(opened);
      return opened;
    },
    open: (address, access) => openServe(address, access, own),
  };
  const opened = await listenWith(adapter, options);
  const { native } = opened;
  const stop = (closeActiveConnections?: boolean) => {
    place?.forget();
    return opened.stop(closeActiveConnections);
  };
  Object.defineProperties(native, { stop: { value: stop }, [Symbol.dispose]: { value: () => void stop(true) } });
  place?.keep(native);
  return native;
}
