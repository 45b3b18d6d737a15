/**
 * fd3 for Node.
 *
 * @module
 */
import type { Api } from "../src/api.ts";
import type { DaemonApi } from "../src/daemon/types.ts";
import { Fd3Error } from "../src/errors.ts";
import { createFd3, type Fd3 } from "../src/fd3.ts";
import type { NotifyApi } from "../src/notify/types.ts";
import type { Runtime } from "../src/runtime.ts";
import type { ServiceApi } from "../src/service/types.ts";
import { nodeHost as host } from "./node/host.ts";
import { openNodeFunctions } from "./node/libc.ts";
import { currentRuntime } from "./shared/current_runtime.ts";
import { adoptNet } from "./shared/net_listener.ts";
import { processDaemon } from "./shared/process_daemon.ts";
import { processParts } from "./shared/process_host.ts";
import { processService } from "./shared/process_service.ts";

export { Fd3Error, type Fd3ErrorCode } from "../src/errors.ts";
export type * from "../src/api.ts";
export type * from "../src/attach/types.ts";
export type * from "../src/daemon/types.ts";
export type * from "../src/http/types.ts";
export type * from "../src/notify/types.ts";
export type * from "../src/service/types.ts";
export type * from "../src/types.ts";

const runtime: Runtime = {
  ...processParts,
  host,
  service: processService,
  open: openNodeFunctions,
  current: currentRuntime,
  streams: {
    adopt: (choice) => adoptNet(host, choice),
    open: async (address, access) => (await import("./shared/net_fallback.ts")).openNet(host, address, access),
  },
  daemon: processDaemon,
  loadNotify: () => import("./node/notify.ts"),
  loadHttp: () => import("./node/http.ts"),
  loadAttach: () => import("./shared/attach.ts"),
  serveNative() {
    const text = "Cannot serve with the runtime's own server: Node's are those of node:http, which attach() takes";
    return Promise.reject(new Fd3Error("ERR_FD3_PLATFORM", text));
  },
};

const fd3: Fd3 = createFd3(runtime);

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
/** See {@linkcode DaemonApi.daemon}. */
export const daemon: DaemonApi["daemon"] = fd3.daemon;
