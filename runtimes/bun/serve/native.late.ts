import { addressOf, ownOptions } from "../../../src/activation/choose.ts";
import { authorityOf } from "../../../src/http/authority.ts";
import { Exchanges } from "../../../src/http/exchanges.ts";
import { checkEndOptions } from "../../../src/http/options.ts";
import { EngineServer, type OpenedParts, openParts, type ServerParts } from "../../../src/http/server.ts";
import type { DrainOptions } from "../../../src/http/types.ts";
import type { Adapter } from "../../../src/listen.ts";
import { type Clients, clientsAt, inheritedClients } from "../../../src/linux/clients.ts";
import { serverLog } from "../../../src/service/report.ts";
import type { ListenOptions } from "../../../src/types.ts";
import { runtimePath } from "../../shared/common.ts";
import { processService } from "../../shared/process_service.ts";
import { bunHost as host } from "../host.ts";
import type { BunServeOptions, BunServer } from "../types.ts";
import { BunEngine } from "./engine.ts";
import { Handlers } from "./handlers.ts";
import { hotPlace } from "./hot.ts";
import { adoptServe, type OpenedServer, openServe } from "./open.ts";
import { BunTraffic } from "./traffic.ts";

/** Options of `serveNative()`: those of `listen()` and of `Bun.serve()`. */
export interface ServeNativeOptions extends ListenOptions, DrainOptions, BunServeOptions {}

/** The URL of a server, as Bun makes it. */
function urlOf({ native, address }: OpenedServer): URL {
  if (address.transport === "unix") {
    const isAbstract = address.path.startsWith("@");
    return new URL(isAbstract ? `abstract://${encodeURIComponent(address.path.slice(1))}/` : `unix://${address.path}`);
  }
  return new URL(`${native.protocol}://${authorityOf(address)}/`);
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

const log = serverLog(() => processService);

/** A `Bun.Server`, and what `daemon()` knows it by. */
export interface OwnServer {
  readonly native: BunServer;
  readonly server: EngineServer;
}

/** A server, and what it was opened with. */
interface OwnParts extends ServerParts {
  readonly engine: BunEngine;
  readonly opened: OpenedServer;
}

/** Opens it, with handlers whose requests are known. */
async function open(options: ServeNativeOptions, own: BunServeOptions): Promise<OpenedParts<OwnParts>> {
  const handlersOf = (clients: Clients | undefined) =>
    new Handlers(new BunTraffic(new Exchanges(), clients, own.tls !== undefined), own);
  const partsOf = (opened: OpenedServer, handlers: Handlers, name?: string): OwnParts => {
    const { traffic } = handlers;
    traffic.setServer(opened.native);
    handlers.attachTo(opened.native);
    if (traffic.clients !== undefined) traffic.clients.listener = opened.address;
    const engine = new BunEngine(opened, traffic, () => handlers.startClosing());
    return { engine, opened, log, activated: name !== undefined, name };
  };
  const adapter: Adapter<OwnParts> = {
    host,
    adopt(choice) {
      const address = addressOf(choice);
      const handlers = handlersOf(address && inheritedClients(host, address));
      const opened = adoptServe(choice, handlers.wrapped);
      // Now: a request may come in the next turn.
      tellAddress(opened);
      return partsOf(opened, handlers, choice.name);
    },
    async open(address, access) {
      const handlers = handlersOf(clientsAt(host, address));
      return partsOf(await openServe(address, access, handlers.wrapped), handlers);
    },
  };
  return await openParts(adapter, options);
}

/** See `serveNative` of the entry point. */
export async function serveOwn(options: ServeNativeOptions): Promise<OwnServer> {
  const { drainTimeout, streamTimeout } = Object(options) as ServeNativeOptions;
  checkEndOptions("serve", { drainTimeout, streamTimeout });
  const { drainTimeout: _drain, streamTimeout: _stream, ...own } = ownOptions(options);
  const place = hotPlace<OwnServer>(options);
  if (place?.served !== undefined) {
    place.served.native.reload(own);
    return place.served;
  }
  const parts = await open(options, own);
  const natives = parts.all.map(({ opened }) => opened.native);
  const [native] = natives;
  if (natives.length > 1) (await import("./joined.late.ts")).speakForAll(natives);
  const server = new EngineServer(parts, { drainTimeout, streamTimeout });
  const stop = async (closeActiveConnections?: boolean) => {
    place?.forget();
    await Promise.all(parts.all.map(async ({ opened, engine }) => {
      await opened.stop(closeActiveConnections);
      engine.ended();
    }));
  };
  const shutdown = () => {
    place?.forget();
    return server.shutdown();
  };
  Object.defineProperties(native, {
    stop: { value: stop },
    shutdown: { value: shutdown },
    [Symbol.dispose]: { value: () => void stop(true) },
  });
  const served = { native, server };
  place?.keep(served);
  return served;
}
