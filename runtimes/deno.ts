/**
 * fd3 for Deno.
 *
 * @module
 */
import type { Api } from "../src/api.ts";
import type { DaemonApi, DaemonContext, DaemonOptions, EndOption } from "../src/daemon/types.ts";
import { createFd3, type Fd3 } from "../src/fd3.ts";
import { withFreeFds } from "../src/free_fds.ts";
import { type Adapter, listenWith } from "../src/listen.ts";
import type { NotifyApi } from "../src/notify/types.ts";
import { checkRuntime, type Runtime } from "../src/runtime.ts";
import type { ServiceApi } from "../src/service/types.ts";
import type { ListenOptions } from "../src/types.ts";
import { pastGone } from "./deno/accept.ts";
import { denoDaemon } from "./deno/daemon.ts";
import { denoHost as host } from "./deno/host.ts";
import { openDenoFunctions } from "./deno/libc.ts";
import { adoptDeno, openDeno } from "./deno/listener.ts";
import { adoptNative } from "./deno/native.ts";
import type { ServeNativeOptions } from "./deno/serve/native.ts";
import { serviceHost } from "./deno/service_host.ts";
import { deno, type DenoHttpServer, type DenoListener, type DenoServeHandler } from "./deno/types.ts";
import { currentRuntime } from "./shared/current_runtime.ts";

export { Fd3Error, type Fd3ErrorCode } from "../src/errors.ts";
export type * from "../src/api.ts";
export type * from "../src/attach/types.ts";
export type * from "../src/daemon/types.ts";
export type * from "../src/http/types.ts";
export type * from "../src/notify/types.ts";
export type * from "../src/service/types.ts";
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

const loadNative = () => withFreeFds(host, "serve", () => import("./deno/serve/native.ts"));

const runtime: Runtime = {
  host,
  service: serviceHost,
  open: openDenoFunctions,
  current: currentRuntime,
  streams: { adopt: adoptDeno, open: openDeno },
  daemon: denoDaemon,
  args: () => deno().args,
  exit: (status) => deno().exit(status),
  onTermination(callback) {
    for (const signal of ["SIGTERM", "SIGINT"]) deno().addSignalListener(signal, callback);
  },
  loadNotify: () => import("./deno/notify.ts"),
  loadHttp: () => import("./deno/http.ts"),
  loadAttach: () => import("./shared/attach.ts"),
  async serveNative([options, handler], times) {
    const { serveOwn } = await loadNative();
    return await serveOwn({ ...Object(options), ...times }, handler as DenoServeHandler);
  },
};

const fd3: Fd3 = createFd3(runtime);

const native: Adapter<DenoListener> = {
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
export async function listenNative(options: ListenOptions = {}): Promise<DenoListener> {
  checkRuntime(runtime, "listen with Deno.listen()");
  return await listenWith(native, options);
}

/**
 * A `Deno.HttpServer` on the inherited socket, or on the fallback address: for code that is written for Deno's own API. It is what
 * `Deno.serve()` gives, with its speed, its `upgradeWebSocket()`, compression, HTTP/2 and TLS.
 *
 * What differs: `addr`, `info.remoteAddr` and `request.url` tell the inherited socket; no line is printed where there is no `onListen`;
 * it goes on when the process runs out of descriptors, where Deno's own server ends; closing it never deletes an inherited path. Its
 * `shutdown()` drains as that of `serve()` does, with the same limits, where Deno's own loses requests. On a Unix socket Deno serves no TLS.
 * With `all` the object of the first socket speaks for all.
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
  checkRuntime(runtime, "serve with Deno.serve()");
  const { serveOwn } = await loadNative();
  return (await serveOwn(options, handler)).native;
}

/** See {@linkcode Api.listenFds}. */
export const listenFds: Api["listenFds"] = fd3.listenFds;
/** See {@linkcode Api.listen}. */
export const listen: Api["listen"] = fd3.listen;
/** See {@linkcode Api.serve}. */
export const serve: Api["serve"] = fd3.serve;
/** See {@linkcode Api.attach}. */
export const attach: Api["attach"] = fd3.attach;
/** See {@linkcode Api.terminated}. */
export const terminated: Api["terminated"] = fd3.terminated;
/** See {@linkcode Api.args}. */
export const args: Api["args"] = fd3.args;
/** See {@linkcode Api.exit}. */
export const exit: Api["exit"] = fd3.exit;
/** See {@linkcode NotifyApi.notify}. */
export const notify: NotifyApi["notify"] = fd3.notify;
/** See {@linkcode NotifyApi.barrier}. */
export const barrier: NotifyApi["barrier"] = fd3.barrier;
/** See {@linkcode NotifyApi.storeFd}. */
export const storeFd: NotifyApi["storeFd"] = fd3.storeFd;
/** See {@linkcode NotifyApi.removeFd}. */
export const removeFd: NotifyApi["removeFd"] = fd3.removeFd;
/** See {@linkcode NotifyApi.dropFd}. */
export const dropFd: NotifyApi["dropFd"] = fd3.dropFd;
/** See {@linkcode NotifyApi.watchdog}. */
export const watchdog: NotifyApi["watchdog"] = fd3.watchdog;
/** See {@linkcode NotifyApi.capabilities}. */
export const capabilities: NotifyApi["capabilities"] = fd3.capabilities;
/** See {@linkcode ServiceApi.takeFd}. */
export const takeFd: ServiceApi["takeFd"] = fd3.takeFd;
/** See {@linkcode ServiceApi.unclaimedFds}. */
export const unclaimedFds: ServiceApi["unclaimedFds"] = fd3.unclaimedFds;
/** See {@linkcode ServiceApi.booted}. */
export const booted: ServiceApi["booted"] = fd3.booted;
/** See {@linkcode ServiceApi.log}. */
export const log: ServiceApi["log"] = fd3.log;
/** See {@linkcode ServiceApi.credential}. */
export const credential: ServiceApi["credential"] = fd3.credential;
/** See {@linkcode ServiceApi.directories}. */
export const directories: ServiceApi["directories"] = fd3.directories;
/** What `setup` gets on Deno. */
export interface DenoDaemonContext extends DaemonContext {
  /**
   * {@linkcode serveNative}, whose server is drained when the daemon stops. `drainTimeout` and `streamTimeout` are the daemon's.
   *
   * @throws {Fd3Error} What `serveNative()` throws, and `ERR_FD3_CLOSED` once the daemon stops.
   */
  serveNative(options: Omit<ServeNativeOptions, EndOption>, handler: DenoServeHandler): Promise<DenoHttpServer>;
}

/** See {@linkcode DaemonApi.daemon}. */
export const daemon: (setup: (context: DenoDaemonContext) => unknown, options?: DaemonOptions) => Promise<void> = fd3
  .daemon as DaemonApi["daemon"] as typeof daemon;
