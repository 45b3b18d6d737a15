import type { DrainOptions } from "../http/types.ts";
import type { ListenOptions } from "../types.ts";

/** Any function, as Node's own types have it. */
// deno-lint-ignore no-explicit-any
export type Handler = (...args: any[]) => void;

/** `server.address()` of node:net. */
export interface NetAddress {
  /** The IP address. */
  address: string;
  /** The port. */
  port: number;
}

/** What fd3 needs of a server to make it listen: every net, http, https, http2 and tls server has it. https://nodejs.org/api/net.html */
export interface NetServer {
  /** Whether it listens already. */
  readonly listening: boolean;
  /** Starts listening. */
  listen(options: object, backlog?: number, callback?: () => void): unknown;
  /** Stops accepting. */
  close(callback?: (error?: Error) => void): unknown;
  /** Where it listens. */
  address(): NetAddress | string | null;
  /** Adds a listener for an event. */
  on(event: string, listener: Handler): unknown;
  /** Adds a listener for one event. */
  once(event: string, listener: Handler): unknown;
  /** Takes a listener away. */
  off(event: string, listener: Handler): unknown;
}

/** Options of `attach()`. */
export interface AttachOptions extends ListenOptions, DrainOptions {
  /** Begins {@linkcode RunningServer.shutdown} when it aborts, or at once where it has. */
  readonly signal?: AbortSignal;
}
