/**
 * fd3 for Bun.
 *
 * @module
 */
import type { Api } from "../src/api.ts";
import { ownOptions } from "../src/activation/choose.ts";
import type { DaemonApi, DaemonContext, DaemonOptions } from "../src/daemon/types.ts";
import { createFd3, type Fd3 } from "../src/fd3.ts";
import { withFreeFds } from "../src/free_fds.ts";
import { type Adapter, listenWith } from "../src/listen.ts";
import type { NotifyApi } from "../src/notify/types.ts";
import { checkRuntime, type Runtime } from "../src/runtime.ts";
import type { ServiceApi } from "../src/service/types.ts";
import type { ListenOptions } from "../src/types.ts";
import { bunHost as host } from "./bun/host.ts";
import { openBunFunctions } from "./bun/libc.ts";
import { adoptBun, openBun } from "./bun/listener.ts";
import { adoptNative } from "./bun/native.ts";
import type { ServeNativeOptions } from "./bun/serve/native.ts";
import type { BunListener, BunServer, BunSocketHandlers } from "./bun/types.ts";
import { currentRuntime } from "./shared/current_runtime.ts";
import { processParts } from "./shared/process_host.ts";
import { processDaemon } from "./shared/process_daemon.ts";
import { processService } from "./shared/process_service.ts";

export { Fd3Error, type Fd3ErrorCode } from "../src/errors.ts";
export type * from "../src/api.ts";
export type * from "../src/attach/types.ts";
export type * from "../src/daemon/types.ts";
export type * from "../src/http/types.ts";
export type * from "../src/notify/types.ts";
export type * from "../src/service/types.ts";
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

const loadNative = () => withFreeFds(host, "serve", () => import("./bun/serve/native.ts"));

const runtime: Runtime = {
  ...processParts,
  host,
  service: processService,
  open: openBunFunctions,
  current: currentRuntime,
  streams: { adopt: adoptBun, open: openBun },
  daemon: processDaemon,
  loadNotify: () => import("./bun/notify.ts"),
  loadHttp: () => import("./bun/http.ts"),
  loadAttach: () => import("./bun/attach.ts"),
  async serveNative([options], times) {
    const { serveOwn } = await loadNative();
    return await serveOwn({ ...(options as ServeNativeOptions), ...times });
  },
};

const fd3: Fd3 = createFd3(runtime);

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
export async function listenNative(options: ListenNativeOptions): Promise<BunListener> {
  checkRuntime(runtime, "listen with Bun.listen()");
  const own = ownOptions(options);
  const native: Adapter<BunListener> = {
    host,
    adopt: async (choice) => (await adoptNative(choice, own)).native,
    open: async (address, access) => (await import("./bun/fallback.ts")).openNative(address, access, own),
  };
  return await listenWith(native, options);
}

/**
 * What `Bun.serve()` gives, on the inherited socket or on the fallback address: for code that is written for Bun's own API, with
 * routes, WebSocket handlers, TLS, `requestIP`, `reload` and all the rest. It tells the address of the inherited socket. Its `stop()`
 * leaves what was not accepted in the queue, for the next instance, and neither shuts the socket down nor deletes its path. Its
 * `shutdown()`, which Bun's own has not, drains as that of `serve()` does, with the same limits. With `all` the object of the first socket
 * speaks for all.
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
  checkRuntime(runtime, "serve with Bun.serve()");
  const { serveOwn } = await loadNative();
  return (await serveOwn(options)).native;
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
/** What `setup` gets on Bun. */
export interface BunDaemonContext extends DaemonContext {
  /**
   * {@linkcode serveNative}, whose server is drained when the daemon stops. `drainTimeout` and `streamTimeout` are the daemon's.
   *
   * @throws {Fd3Error} What `serveNative()` throws, and `ERR_FD3_CLOSED` once the daemon stops.
   */
  serveNative(options: ServeNativeOptions): Promise<BunServer>;
}

/** See {@linkcode DaemonApi.daemon}. */
export const daemon: (setup: (context: BunDaemonContext) => unknown, options?: DaemonOptions) => Promise<void> = fd3
  .daemon as DaemonApi["daemon"] as typeof daemon;
