/**
 * fd3 for Node.
 *
 * @module
 */
import { listenFds as coreListenFds } from "../src/activation/table.ts";
import { daemonBy } from "../src/daemon/facade.ts";
import { createService } from "../src/service/service.ts";
import type { ServiceApi } from "../src/service/types.ts";
import type { DaemonApi } from "../src/daemon/types.ts";
import type { HttpServer, ServeHandler, ServeOptions } from "../src/http/types.ts";
import { withFreeFds } from "../src/free_fds.ts";
import { type Adapter, listenWith } from "../src/listen.ts";
import { facade } from "../src/notify/facade.ts";
import type { NotifyApi } from "../src/notify/types.ts";
import { terminatedBy } from "../src/terminated.ts";
import type { Listener, ListenFd, ListenFdsOptions, ListenOptions } from "../src/types.ts";
import { denoDaemon } from "./deno/daemon.ts";
import type { Attached, AttachOptions } from "./node/attach.ts";
import { currentHost, currentHosts } from "./node/current_host.ts";
import { adoptNet } from "./shared/net_listener.ts";
import type { NetServer } from "./shared/node_types.ts";
import { processDaemon } from "./shared/process_daemon.ts";
import { onProcessSignals, processGlobal } from "./shared/process_host.ts";

export { Fd3Error, type Fd3ErrorCode } from "../src/errors.ts";
export type * from "../src/api.ts";
export type * from "../src/service/types.ts";
export type * from "../src/daemon/types.ts";
export type * from "../src/http/types.ts";
export type * from "../src/notify/types.ts";
export type * from "../src/types.ts";
export type { Attached, AttachOptions } from "./node/attach.ts";
export type { Handler, NetAddress, NetServer } from "./shared/node_types.ts";

const adapter: Adapter<Listener> = {
  get host() {
    return currentHost();
  },
  adopt: (choice) => adoptNet(currentHost(), choice),
  open: async (address, access) => (await import("./shared/net_fallback.ts")).openNet(currentHost(), address, access),
};

/** See {@linkcode Api.listenFds}. */
export function listenFds(options?: ListenFdsOptions): ListenFd[] {
  return coreListenFds(currentHost(), options);
}

/** See {@linkcode Api.listen}. */
export function listen(options: ListenOptions = {}): Promise<Listener> {
  return listenWith(adapter, options);
}

/**
 * Makes any server of node:net, http, https, http2 or tls listen on the inherited socket, or on the fallback address. Express, Fastify,
 * Koa, Hono and h3 are attached through the server that they run on. It works on Node, on Bun, and on Deno.
 *
 * On Bun, a server with TLS needs AF_INET, AF_INET6 and AF_UNIX where RestrictAddressFamilies= is set (systemd.exec(5)); one of node:http is
 * slower without them, and a warning says so.
 *
 * @throws {Fd3Error} As `listen`; `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if the server did not take the descriptor, which happens on Bun alone.
 * @param server The server, not listening yet.
 * @param options Those of `listen`.
 * @returns Where it listens.
 *
 * @example An HTTP server
 * ```ts
 * import { createServer } from "node:http";
 * import { attach } from "@fd3/fd3/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * const { address } = await attach(server, { fallback: "127.0.0.1:0" });
 * console.log(address);
 * server.close();
 * ```
 */
export async function attach(server: NetServer, options: AttachOptions = {}): Promise<Attached> {
  const { attachServer } = await withFreeFds(currentHost(), "attach", () => import("./node/attach.ts"));
  return await attachServer(server, options);
}

const loadHttp = () => withFreeFds(currentHost(), "serve", () => import("./node/http.ts"));

/** See {@linkcode Api.serve}. */
export async function serve(handler: ServeHandler, options: ServeOptions = {}): Promise<HttpServer> {
  // Only here: who listens alone loads nothing of it.
  const { adapter, serveWith } = await loadHttp();
  return await serveWith(adapter, handler, options);
}

/** See {@linkcode Api.terminated}. */
export const terminated: () => AbortSignal = terminatedBy(onProcessSignals);

/** See {@linkcode Api.args}. */
export function args(): readonly string[] {
  return processGlobal().argv.slice(2);
}

/** See {@linkcode Api.exit}. */
export function exit(status: number): never {
  return processGlobal().exit(status);
}

const notifying: NotifyApi = facade(() => {
  if ("Deno" in globalThis) return import("./deno/notify.ts");
  return "Bun" in globalThis ? import("./bun/notify.ts") : import("./node/notify.ts");
}, currentHosts);
const service: ServiceApi = createService({
  get host() {
    return currentHost();
  },
  get service() {
    return currentHosts().service;
  },
});

/** See {@linkcode NotifyApi.notify}. */
export const notify: NotifyApi["notify"] = notifying.notify;
/** See {@linkcode NotifyApi.barrier}. */
export const barrier: NotifyApi["barrier"] = notifying.barrier;
/** See {@linkcode NotifyApi.storeFd}. */
export const storeFd: NotifyApi["storeFd"] = notifying.storeFd;
/** See {@linkcode NotifyApi.removeFd}. */
export const removeFd: NotifyApi["removeFd"] = notifying.removeFd;
/** See {@linkcode NotifyApi.dropFd}. */
export const dropFd: NotifyApi["dropFd"] = notifying.dropFd;
/** See {@linkcode NotifyApi.watchdog}. */
export const watchdog: NotifyApi["watchdog"] = notifying.watchdog;
/** See {@linkcode NotifyApi.capabilities}. */
export const capabilities: NotifyApi["capabilities"] = notifying.capabilities;
/** See {@linkcode ServiceApi.takeFd}. */
export const takeFd: ServiceApi["takeFd"] = service.takeFd;
/** See {@linkcode ServiceApi.unclaimedFds}. */
export const unclaimedFds: ServiceApi["unclaimedFds"] = service.unclaimedFds;
/** See {@linkcode ServiceApi.booted}. */
export const booted: ServiceApi["booted"] = service.booted;
/** See {@linkcode ServiceApi.log}. */
export const log: ServiceApi["log"] = service.log;
/** See {@linkcode ServiceApi.credential}. */
export const credential: ServiceApi["credential"] = service.credential;
/** See {@linkcode ServiceApi.directories}. */
export const directories: ServiceApi["directories"] = service.directories;

/** See {@linkcode DaemonApi.daemon}. */
export const daemon: DaemonApi["daemon"] = daemonBy(
  () => "Deno" in globalThis ? denoDaemon : processDaemon,
  loadHttp,
  {
    get host() {
      return currentHost();
    },
    listen,
    notify,
    watchdog,
    capabilities,
    log,
  },
);
