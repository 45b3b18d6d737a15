/**
 * fd3 for Bun.
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
import { bunHost as host } from "./bun/host.ts";
import { openBunFunctions } from "./bun/libc.ts";
import { adoptBun, openBun } from "./bun/listener.ts";
import { adoptNative } from "./bun/native.ts";
import type { ServeNativeOptions } from "./bun/serve/native.ts";
import type { BunListener, BunServer, BunSocketHandlers } from "./bun/types.ts";
import { onProcessSignals, processGlobal } from "./shared/process_host.ts";
import { processDaemon } from "./shared/process_daemon.ts";
import { processService } from "./shared/process_service.ts";

export { Fd3Error, type Fd3ErrorCode } from "../src/errors.ts";
export type * from "../src/api.ts";
export type * from "../src/service/types.ts";
export type * from "../src/daemon/types.ts";
export type * from "../src/http/types.ts";
export type * from "../src/notify/types.ts";
export type * from "../src/types.ts";
export type { ServeNativeOptions } from "./bun/serve/native.ts";
export type {
  BunHeaders,
  BunListener,
  BunServeOptions,
  BunServer,
  BunSocket,
  BunSocketAddress,
  BunSocketHandlers,
  BunWebSocket,
  BunWebSocketHandlers,
} from "./bun/types.ts";

const adapter: Adapter<Listener> = { host, adopt: adoptBun, open: openBun };

/** See {@linkcode Api.listenFds}. */
export function listenFds(options?: ListenFdsOptions): ListenFd[] {
  return coreListenFds(host, options);
}

/** See {@linkcode Api.listen}. */
export function listen(options: ListenOptions = {}): Promise<Listener> {
  return listenWith(adapter, options);
}

/** Options of {@linkcode listenNative}: those of `listen()` and of `Bun.listen()`. */
export interface ListenNativeOptions extends ListenOptions {
  /** The handlers, as for `Bun.listen()`. */
  readonly socket: BunSocketHandlers;
  /** As for `Bun.listen()`. */
  readonly allowHalfOpen?: boolean;
  /** As for `Bun.listen()`. */
  readonly data?: unknown;
  /** As for `Bun.listen()`. */
  readonly tls?: unknown;
}

/**
 * What `Bun.listen()` gives, on the inherited socket or on the fallback address: for code that is written for Bun's own API.
 *
 * @throws {Fd3Error} As `listen`.
 * @param options `socket` as for `Bun.listen()`, the rest as for `listen`.
 * @returns The listener, which is the caller's to stop.
 *
 * @example Bun's own handlers (it runs on Bun alone)
 * ```ts
 * import { listenNative } from "@fd3/fd3/bun";
 *
 * if ("Bun" in globalThis) {
 *   const listener = await listenNative({
 *     fallback: "127.0.0.1:0",
 *     socket: { data: (socket, chunk) => void socket.write(chunk) },
 *   });
 *   listener.stop();
 * }
 * ```
 */
export function listenNative(options: ListenNativeOptions): Promise<BunListener> {
  const { name: _name, fallback: _fallback, fallbackFor: _for, mode: _mode, group: _group, keepEnv: _keepEnv, ...own } =
    options;
  const native: Adapter<BunListener> = {
    host,
    adopt: async (choice) => (await adoptNative(choice, own)).native,
    open: async (address, access) => (await import("./bun/fallback.ts")).openNative(address, access, own),
  };
  return listenWith(native, options);
}

const loadHttp = () => withFreeFds(host, "serve", () => import("./bun/http.ts"));

/** See {@linkcode Api.serve}. */
export async function serve(handler: ServeHandler, options: ServeOptions = {}): Promise<HttpServer> {
  // Only here: who listens alone loads nothing of it.
  const { adapter, serveWith } = await loadHttp();
  return await serveWith(adapter, handler, options);
}

/**
 * What `Bun.serve()` gives, on the inherited socket or on the fallback address: for code that is written for Bun's own API, with
 * routes, WebSocket handlers, TLS, `requestIP`, `reload` and all the rest. It tells the address of the inherited socket. Its `stop()`
 * leaves what nobody has accepted in the queue, for the next instance, and neither shuts the socket down nor deletes its path.
 *
 * `hostname`, `port` and `unix` have no effect: the address is the inherited one, or `fallback`. With `bun --hot` a program that is
 * evaluated anew gets the server that it has, with the new handlers.
 *
 * @throws {Fd3Error} As `listen`; `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if Bun's server did not take the descriptor.
 * @throws {TypeError} What Bun says of the options; and for `http3` on an inherited socket, since HTTP/3 needs a datagram socket.
 * @param options Those of `Bun.serve()`, and those of `listen`.
 *
 * @example Routes
 * ```ts ignore
 * import { serveNative } from "@fd3/fd3/bun";
 *
 * const server = await serveNative({
 *   fallback: "127.0.0.1:8080",
 *   routes: { "/health": new Response("fine\n") },
 *   fetch: (request, server) => new Response(`${server.requestIP(request)?.address}\n`),
 * });
 * console.log(server.url.href);
 * ```
 */
export async function serveNative(options: ServeNativeOptions): Promise<BunServer> {
  // Not with the module: `listen()` shall not wait until this is read.
  const { serveOwn } = await withFreeFds(host, "serve", () => import("./bun/serve/native.ts"));
  return (await serveOwn(options)).native;
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

const hosts = { host, service: processService, open: openBunFunctions };
const notifying: NotifyApi = facade(() => import("./bun/notify.ts"), () => hosts);
const service: ServiceApi = createService(hosts);

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
export const daemon: DaemonApi["daemon"] = daemonBy(() => processDaemon, loadHttp, {
  host,
  listen,
  notify,
  watchdog,
  capabilities,
  log,
});
