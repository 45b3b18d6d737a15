import { type Refuse, refusing } from "../quoted.ts";
import { isTimeout, longestTimeout } from "../time/clock.ts";
import type { EndOptions } from "./server.ts";
import type { EngineName, ServeHandler, ServeOptions, TlsOptions } from "./types.ts";
import type { WebSocketHandlers } from "./web_socket_types.ts";

const engineNames: readonly EngineName[] = ["deno-serve", "bun-serve", "node-http"];

const refuse: Refuse = refusing("serve");

function checkTls(tls: TlsOptions): void {
  if (typeof tls !== "object" || tls === null) refuse("tls", tls, "not an object with cert and key");
  for (const part of ["cert", "key"] as const) {
    if (typeof tls[part] !== "string") refuse(`tls.${part}`, tls[part], "not a text in PEM");
  }
}

function checkWebSocket(handlers: WebSocketHandlers): void {
  if (typeof handlers !== "object" || handlers === null) refuse("websocket", handlers, "not an object with handlers");
  for (const name of ["open", "message", "close", "error"] as const) {
    if (handlers[name] !== undefined && typeof handlers[name] !== "function") {
      refuse(`websocket.${name}`, handlers[name], "not a function");
    }
  }
}

function isSignal(signal: unknown): boolean {
  const { aborted, addEventListener } = Object(signal) as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}

/**
 * @throws {TypeError} If an option that says how a server ends is not of its kind.
 * @param action What the options are for, for errors.
 * @param options What the caller gave.
 */
export function checkEndOptions(action: string, options: EndOptions): void {
  const refuse: Refuse = refusing(action);
  const { signal } = options;
  if (signal !== undefined && !isSignal(signal)) refuse("signal", signal, "not an AbortSignal");
  for (const [name, least] of [["drainTimeout", 0], ["streamTimeout", 0], ["idleConnectionTimeout", 1]] as const) {
    const value = options[name];
    if (value === undefined || value === Infinity || isTimeout(value, least)) continue;
    refuse(name, value, `not a number between ${least} and ${longestTimeout}, nor Infinity`);
  }
}

/**
 * What `listen()` takes as well is checked there.
 *
 * @throws {TypeError} If the handler or an option of `serve()` is not of its kind.
 * @param handler What the caller gave.
 * @param options What the caller gave.
 */
export function checkServeOptions(handler: ServeHandler, options: ServeOptions): void {
  if (typeof handler !== "function") refuse("the handler", handler, "not a function");
  if (typeof options !== "object" || options === null) refuse("options", options, "not an object");
  const { engine, tls } = options;
  if (engine !== undefined && !engineNames.includes(engine)) {
    refuse("engine", engine, `not one of ${engineNames.map((name) => JSON.stringify(name)).join(", ")}`);
  }
  if (tls !== undefined) checkTls(tls);
  if (options.websocket !== undefined) checkWebSocket(options.websocket);
  for (const name of ["onError", "onListen"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      refuse(name, options[name], "not a function");
    }
  }
  checkEndOptions("serve", options);
}
