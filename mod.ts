/**
 * A daemon SDK for Deno, Bun and Node: services that systemd starts with their sockets already open.
 *
 * This entry point picks the runtime's adapter when it loads. `@fd3/fd3/deno`, `@fd3/fd3/bun` and `@fd3/fd3/node` are the adapters themselves,
 * each with the runtime's own listener besides.
 *
 * @example An echo daemon
 * ```ts
 * import { listen, terminated } from "@fd3/fd3";
 *
 * const listener = await listen({ fallback: "127.0.0.1:0" });
 * terminated().addEventListener("abort", () => listener.close());
 * setTimeout(() => listener.close(), 10); // A daemon does without this line.
 * for await (const connection of listener) {
 *   connection.forEach((chunk) => connection.write(chunk))
 *     .catch((error) => console.error(error.message))
 *     .finally(() => connection.close());
 * }
 * ```
 *
 * @module
 */
import * as bun from "./runtimes/bun.ts";
import * as deno from "./runtimes/deno.ts";
import * as node from "./runtimes/node.ts";
import type { Api } from "./src/api.ts";
import type { DaemonApi } from "./src/daemon/types.ts";
import type { Fd3 } from "./src/fd3.ts";
import type { NotifyApi } from "./src/notify/types.ts";
import type { ServiceApi } from "./src/service/types.ts";

export { Fd3Error, type Fd3ErrorCode } from "./src/errors.ts";
export type * from "./src/api.ts";
export type * from "./src/attach/types.ts";
export type * from "./src/daemon/types.ts";
export type * from "./src/http/types.ts";
export type * from "./src/notify/types.ts";
export type * from "./src/service/types.ts";
export type * from "./src/types.ts";

// Statically: a dynamic import would need a top-level await, which breaks require().
const fd3: Fd3 = "Deno" in globalThis ? deno : "Bun" in globalThis ? bun : node;

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
