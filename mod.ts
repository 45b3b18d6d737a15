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
import type { ServiceApi } from "./src/service/types.ts";
import type { DaemonApi } from "./src/daemon/types.ts";
import type { NotifyApi } from "./src/notify/types.ts";
import type { Api } from "./src/api.ts";

export { Fd3Error, type Fd3ErrorCode } from "./src/errors.ts";
export type * from "./src/api.ts";
export type * from "./src/service/types.ts";
export type * from "./src/daemon/types.ts";
export type * from "./src/http/types.ts";
export type * from "./src/notify/types.ts";
export type * from "./src/types.ts";

// Statically: a dynamic import would need a top-level await, which breaks require().
const api: Api & DaemonApi & NotifyApi & ServiceApi = "Deno" in globalThis ? deno : "Bun" in globalThis ? bun : node;

/** See {@linkcode Api.listenFds}. */
export const listenFds: Api["listenFds"] = api.listenFds;
/** See {@linkcode Api.listen}. */
export const listen: Api["listen"] = api.listen;
/** See {@linkcode Api.serve}. */
export const serve: Api["serve"] = api.serve;
/** See {@linkcode Api.terminated}. */
export const terminated: Api["terminated"] = api.terminated;
/** See {@linkcode Api.args}. */
export const args: Api["args"] = api.args;
/** See {@linkcode Api.exit}. */
export const exit: Api["exit"] = api.exit;
/** See {@linkcode NotifyApi.notify}. */
export const notify: NotifyApi["notify"] = api.notify;
/** See {@linkcode NotifyApi.barrier}. */
export const barrier: NotifyApi["barrier"] = api.barrier;
/** See {@linkcode NotifyApi.storeFd}. */
export const storeFd: NotifyApi["storeFd"] = api.storeFd;
/** See {@linkcode NotifyApi.removeFd}. */
export const removeFd: NotifyApi["removeFd"] = api.removeFd;
/** See {@linkcode NotifyApi.dropFd}. */
export const dropFd: NotifyApi["dropFd"] = api.dropFd;
/** See {@linkcode NotifyApi.watchdog}. */
export const watchdog: NotifyApi["watchdog"] = api.watchdog;
/** See {@linkcode NotifyApi.capabilities}. */
export const capabilities: NotifyApi["capabilities"] = api.capabilities;
/** See {@linkcode ServiceApi.takeFd}. */
export const takeFd: ServiceApi["takeFd"] = api.takeFd;
/** See {@linkcode ServiceApi.unclaimedFds}. */
export const unclaimedFds: ServiceApi["unclaimedFds"] = api.unclaimedFds;
/** See {@linkcode ServiceApi.booted}. */
export const booted: ServiceApi["booted"] = api.booted;
/** See {@linkcode ServiceApi.log}. */
export const log: ServiceApi["log"] = api.log;
/** See {@linkcode ServiceApi.credential}. */
export const credential: ServiceApi["credential"] = api.credential;
/** See {@linkcode ServiceApi.directories}. */
export const directories: ServiceApi["directories"] = api.directories;
/** See {@linkcode DaemonApi.daemon}. */
export const daemon: DaemonApi["daemon"] = api.daemon;
