/**
 * fd3 for Deno.
 *
 * @module
 */
import { listenFds as coreListenFds } from "../src/activation/table.ts";
import type { Choice } from "../src/activation/choose.ts";
import { daemonBy } from "../src/daemon/facade.ts";
import { createService } from "../src/service/service.ts";
import type { ServiceApi } from "../src/service/types.ts";
import type { DaemonApi } from "../src/daemon/types.ts";
import { Fd3Error } from "../src/errors.ts";
import { hasLibc } from "../src/host.ts";
import type { HttpServer, ServeHandler, ServeOptions } from "../src/http/types.ts";
import { withFreeFds } from "../src/free_fds.ts";
import { type Adapter, listenWith } from "../src/listen.ts";
import { facade } from "../src/notify/facade.ts";
import type { NotifyApi } from "../src/notify/types.ts";
import { terminatedBy } from "../src/terminated.ts";
import type { Listener, ListenFd, ListenFdsOptions, ListenOptions } from "../src/types.ts";
import { pastGone } from "./deno/accept.ts";
import { denoDaemon } from "./deno/daemon.ts";
import { denoHost as host } from "./deno/host.ts";
import { openDenoFunctions } from "./deno/libc.ts";
import { DenoStreamListener, openDeno } from "./deno/listener.ts";
import { adoptNative } from "./deno/native.ts";
import type { ServeNativeOptions } from "./deno/serve/native.ts";
import { serviceHost } from "./deno/service_host.ts";
import { setUpSignals } from "./deno/signals.ts";
import { deno, type DenoHttpServer, type DenoListener, type DenoServeHandler } from "./deno/types.ts";

export { Fd3Error, type Fd3ErrorCode } from "../src/errors.ts";
export type * from "../src/api.ts";
export type * from "../src/service/types.ts";
export type * from "../src/daemon/types.ts";
export type * from "../src/http/types.ts";
export type * from "../src/notify/types.ts";
export type * from "../src/types.ts";
export type { ServeNativeOptions } from "./deno/serve/native.ts";
export type {
  DenoAddress,
  DenoConn,
  DenoHttpServer,
  DenoListener,
  DenoServeHandler,
  DenoServeInfo,
} from "./deno/types.ts";

function adopt(choice: Choice): Listener | Promise<Listener> {
  const { name } = choice;
  try {
    const { native, address } = adoptNative(choice);
    return new DenoStreamListener(native, { address, activated: true, name, stop: () => native.close() });
  } catch (error) {
    if (!(error instanceof Fd3Error) || error.code === "ERR_FD3_PLATFORM") throw error;
    // Without FFI it is a choice.
    if (hasLibc(host.libc())) host.warn(`listens with node:net, which is slower than Deno.listen: ${error.message}`);
    // The portable way needs no permission at all, but node:net, which takes as long to load as Deno to start.
    return adoptPortably(choice);
  }
}

async function adoptPortably(choice: Choice): Promise<Listener> {
  const { adoptNet } = await import("./shared/net_listener.ts");
  const listener = await adoptNet(host, choice);
  setUpSignals();
  return listener;
}

const adapter: Adapter<Listener> = { host, adopt, open: openDeno };

/** See {@linkcode Api.listenFds}. */
export function listenFds(options?: ListenFdsOptions): ListenFd[] {
  return coreListenFds(host, options);
}

/** See {@linkcode Api.listen}. */
export function listen(options: ListenOptions = {}): Promise<Listener> {
  return listenWith(adapter, options);
}

const nativeAdapter: Adapter<DenoListener> = {
  host,
  adopt: (choice) => pastGone(adoptNative(choice).native),
  open: async (address, access) => pastGone(await (await import("./deno/fallback.ts")).openNative(address, access)),
};

/**
 * A `Deno.Listener` on the inherited socket, or on the fallback address: for code that is written for Deno's own API.
 * Its `addr` is the real one, and closing it never deletes an inherited path. Unlike Deno's own, its `accept()` passes over clients
 * that reset their connection before they were accepted, so that none of them ends a loop; for all else, such as a lack of
 * descriptors, it rejects as Deno's does.
 *
 * Deno permissions: those of `listenFds`, `--allow-ffi`, and `--allow-net` (`=127.0.0.1` is enough for TCP).
 *
 * @throws {Fd3Error} As `listen`, and `ERR_FD3_FFI` if a permission is missing.
 * @param options As for `listen`.
 * @returns The listener, which is the caller's to close.
 *
 * @example A Deno.Listener
 * ```ts
 * import { listenNative } from "@fd3/fd3/deno";
 *
 * const listener = await listenNative({ fallback: "127.0.0.1:0" });
 * console.log(listener.addr);
 * listener.close();
 * ```
 */
export function listenNative(options: ListenOptions = {}): Promise<DenoListener> {
  return listenWith(nativeAdapter, options);
}

const loadHttp = () => withFreeFds(host, "serve", () => import("./deno/http.ts"));

/** See {@linkcode Api.serve}. */
export async function serve(handler: ServeHandler, options: ServeOptions = {}): Promise<HttpServer> {
  // Only here: who listens alone loads nothing of it.
  const { adapter, serveWith } = await loadHttp();
  return await serveWith(adapter, handler, options);
}

/**
 * A `Deno.HttpServer` on the inherited socket, or on the fallback address: for code that is written for Deno's own API. It is what
 * `Deno.serve()` gives, with its speed, its `upgradeWebSocket()`, compression, HTTP/2 and TLS.
 *
 * What differs: `addr`, `info.remoteAddr` and `request.url` tell the inherited socket; no line is printed where there is no `onListen`;
 * it goes on when the process runs out of descriptors, where Deno's own server ends; closing it never deletes an inherited path. On a Unix
 * socket Deno serves no TLS.
 *
 * Deno permissions: those of `listenFds`, `--allow-ffi`, and `--allow-net` (`=127.0.0.1` is enough for TCP).
 *
 * @example A fetch handler on an inherited socket
 * ```ts ignore
 * import { serveNative } from "@fd3/fd3/deno";
 *
 * const server = await serveNative({ fallback: "127.0.0.1:8080" }, (request, info) => {
 *   return new Response(`${info.remoteAddr.hostname} asked for ${request.url}\n`);
 * });
 * await server.finished;
 * ```
 *
 * @throws {Fd3Error} As `listen`, `ERR_FD3_FFI` if a permission is missing, and `ERR_FD3_PLATFORM` for TLS on a Unix socket.
 * @throws {TypeError} If an option is not of its kind, or Deno cannot read the certificate or key.
 * @param options Those of `listen`, and those of `Deno.serve()` but for the address.
 * @param handler As for `Deno.serve()`.
 */
export async function serveNative(
  options: ServeNativeOptions,
  handler: DenoServeHandler,
): Promise<DenoHttpServer> {
  // Loaded now, so that who only listens does not wait for it.
  const { serveOwn } = await withFreeFds(host, "serve", () => import("./deno/serve/native.ts"));
  return (await serveOwn(options, handler)).native;
}

/** See {@linkcode Api.terminated}. */
export const terminated: () => AbortSignal = terminatedBy((abort) => {
  for (const signal of ["SIGTERM", "SIGINT"]) deno().addSignalListener(signal, abort);
});

/** See {@linkcode Api.args}. */
export function args(): readonly string[] {
  return deno().args;
}

/** See {@linkcode Api.exit}. */
export function exit(status: number): never {
  return deno().exit(status);
}

const hosts = { host, service: serviceHost, open: openDenoFunctions };
const notifying: NotifyApi = facade(() => import("./deno/notify.ts"), () => hosts);
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
export const daemon: DaemonApi["daemon"] = daemonBy(() => denoDaemon, loadHttp, {
  host,
  listen,
  notify,
  watchdog,
  capabilities,
  log,
});
