/**
 * A daemon SDK for Deno, Bun and Node: services that systemd starts with their sockets already open.
 *
 * This entry point picks the runtime's adapter when it loads. `@fd3/fd3/deno`, `@fd3/fd3/bun` and `@fd3/fd3/node` are the adapters themselves,
 * each with the runtime's own listener besides.
 *
 * @example An echo daemon
 * ```ts
 * import { listen } from "@fd3/fd3";
 *
 * const listener = await listen({ fallback: "/run/echo.sk" });
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
import type { Api } from "./src/types.ts";

export * from "./src/errors.ts";
export type * from "./src/http/types.ts";
export type * from "./src/types.ts";

// Statically: a dynamic import would need a top-level await, which breaks require().
const api: Api = "Deno" in globalThis ? deno : "Bun" in globalThis ? bun : node;

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
