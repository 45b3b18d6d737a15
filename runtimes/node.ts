/**
 * fd3 for Node.
 *
 * @module
 */
import { listenFds as coreListenFds } from "../src/activation/table.ts";
import type { HttpServer, ServeHandler, ServeOptions } from "../src/http/types.ts";
import { type Adapter, listenWith } from "../src/listen.ts";
import { terminatedBy } from "../src/terminated.ts";
import type { Listener, ListenFd, ListenFdsOptions, ListenOptions } from "../src/types.ts";
import { type Attached, type AttachOptions, attachServer } from "./node/attach.ts";
import { currentHost } from "./node/current_host.ts";
import { adoptNet, openNet } from "./shared/net_listener.ts";
import type { NetServer } from "./shared/node_types.ts";
import { onProcessSignals, processGlobal } from "./shared/process_host.ts";

export * from "../src/errors.ts";
export type * from "../src/http/types.ts";
export type * from "../src/types.ts";
export type { Attached, AttachOptions } from "./node/attach.ts";
export type { Handler, NetAddress, NetServer } from "./shared/node_types.ts";

const adapter: Adapter<Listener> = {
  get host() {
    return currentHost();
  },
  adopt: (choice) => adoptNet(currentHost(), choice),
  open: openNet,
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
 * @throws {Fd3Error} As `listen`.
 * @param server The server, not listening yet.
 * @param options Those of `listen`.
 * @returns Where it listens.
 *
 * @example An HTTP server
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { attach } from "@fd3/fd3/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * await attach(server, { fallback: "127.0.0.1:8080" });
 * ```
 */
export function attach(server: NetServer, options: AttachOptions = {}): Promise<Attached> {
  return attachServer(server, options);
}

/** See {@linkcode Api.serve}. */
export async function serve(handler: ServeHandler, options: ServeOptions = {}): Promise<HttpServer> {
  // Only here: who listens alone loads nothing of it.
  const { adapter, serveWith } = await import("./node/http.ts");
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
