import { deno } from "../types.ts";

/** `Deno.upgradeWebSocket()`. */
type Upgrade = (request: Request, options?: object) => { readonly socket: WebSocket; readonly response: Response };

// On globalThis, as two copies of the package may meet: one has put its function in place then.
const key: unique symbol = Symbol.for("fd3.deno.upgraded");

/** The WebSocket that was made of a request. */
function upgraded(): WeakMap<Request, WebSocket> | undefined {
  return (globalThis as { [key]?: WeakMap<Request, WebSocket> })[key];
}

/** The WebSocket that `Deno.upgradeWebSocket()` made of a request. */
export function webSocketOf(request: Request): WebSocket | undefined {
  return upgraded()?.get(request);
}

/**
 * From now on it is known which WebSocket `Deno.upgradeWebSocket()` makes of a request: the end of a server must close it, and nothing else
 * tells. What the function does stays the same.
 */
export function noteWebSockets(): void {
  const own = Object.getOwnPropertyDescriptor(deno(), "upgradeWebSocket");
  if (own === undefined || own.configurable !== true || upgraded() !== undefined) return;
  const sockets = new WeakMap<Request, WebSocket>();
  (globalThis as { [key]?: WeakMap<Request, WebSocket> })[key] = sockets;
  let noting: Upgrade | undefined;
  const get = (): Upgrade => {
    if (noting !== undefined) return noting;
    // Deno loads its code when it is asked for.
    const upgrade: Upgrade = own.get === undefined ? own.value : own.get.call(deno());
    noting = (request, options) => {
      const result = upgrade(request, options);
      sockets.set(request, result.socket);
      return result;
    };
    return noting;
  };
  const set = (value: Upgrade) => void (noting = value);
  Object.defineProperty(deno(), "upgradeWebSocket", { configurable: true, enumerable: own.enumerable, get, set });
}
