import { closing } from "../../../src/http/closing.ts";
import { isThenable, nameOf } from "../../../src/http/exchanges.ts";
import type { BunServeOptions, BunServer, BunWebSocket, BunWebSocketHandlers } from "../types.ts";
import type { BunTraffic } from "./traffic.ts";

/** A handler of Bun's: of `fetch`, or of a route. */
type Handler = (this: BunServer, request: Request, server: BunServer) => unknown;

function rethrow(error: unknown): never {
  throw error;
}

/** Calls back for each value of an object, as it is where it is none. */
function mapped(value: unknown, change: (value: unknown) => unknown): unknown {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, change(one)]));
}

/** Whether Bun answers a route by itself, as far as is known: with a response, a page or a file. */
function isFixed(route: unknown): boolean {
  return typeof route !== "function" && !Object.values(Object(route)).every((one) => typeof one === "function");
}

/** The handlers that a user gave `Bun.serve()`, in functions by which it is known what they are at. What they do stays the same. */
export class Handlers {
  readonly traffic: BunTraffic;
  #options: BunServeOptions;
  #reload: ((options: BunServeOptions) => BunServer) | undefined;
  #isClosing = false;
  /** The request of which a WebSocket is being made. */
  #upgrading: string | undefined;

  constructor(traffic: BunTraffic, options: BunServeOptions) {
    this.traffic = traffic;
    this.#options = options;
  }

  /** The options with these functions. */
  get wrapped(): BunServeOptions {
    return this.#wrap(this.#options);
  }

  /** Follows what the user does to the server later. */
  attachTo(native: BunServer): void {
    const reload = native.reload.bind(native);
    const upgrade = native.upgrade.bind(native);
    this.#reload = (options) => reload(options);
    Object.defineProperties(native, {
      reload: {
        configurable: true,
        value: (options: BunServeOptions) => {
          // Bun keeps what is not given anew.
          this.#options = { ...this.#options, ...options };
          return reload(this.#wrap(options));
        },
      },
      upgrade: {
        configurable: true,
        value: (...[request, options]: Parameters<BunServer["upgrade"]>) => {
          this.#upgrading = nameOf(request);
          try {
            return upgrade(request, options);
          } finally {
            this.#upgrading = undefined;
          }
        },
      },
    });
  }

  /** From now on every response says `connection: close`, those too that no function gives. */
  startClosing(): void {
    this.#isClosing = true;
    this.traffic.exchanges.startClosing();
    const { routes } = this.#options;
    const hasFixed = (value: unknown): boolean =>
      value instanceof Response || Object.values(Object(value) as object).some((one) => one instanceof Response);
    if (routes !== undefined && Object.values(routes).some(hasFixed)) this.#reload?.(this.wrapped);
  }

  #wrap(options: BunServeOptions): BunServeOptions {
    const { fetch, routes, websocket, error } = options;
    const wrapped: Record<string, unknown> = { ...options };
    if (fetch !== undefined) wrapped.fetch = this.#handler(fetch as Handler);
    if (error !== undefined) wrapped.error = this.#errorHandler(error);
    if (routes !== undefined) {
      const change = (value: unknown) => this.#route(value);
      this.traffic.hasFixedRoutes ||= Object.values(routes).some(isFixed);
      wrapped.routes = mapped(routes, (value) => mapped(change(value), change));
    }
    if (websocket !== undefined) wrapped.websocket = this.#webSocket(websocket);
    return wrapped;
  }

  #route(value: unknown): unknown {
    if (typeof value === "function") return this.#handler(value as Handler);
    // One of several: a response of the user's own may be given again.
    return value instanceof Response && this.#isClosing ? closing(value.clone()) : value;
  }

  #handler(handler: Handler): Handler {
    const { traffic } = this;
    const { exchanges } = traffic;
    return function (request, server) {
      traffic.came(request);
      exchanges.count();
      const check = (value: unknown) => {
        if (!(value instanceof Response)) return value;
        const whole = exchanges.isClosing ? closing(value) : value;
        traffic.sent(whole, request);
        return whole;
      };
      const result = handler.call(this, request, server);
      if (!isThenable(result)) return check(result);
      return exchanges.until(result, request, noAddress, check, rethrow);
    };
  }

  #errorHandler(handler: NonNullable<BunServeOptions["error"]>): BunServeOptions["error"] {
    const { exchanges } = this.traffic;
    return async function (error) {
      const response = await handler.call(this, error);
      return response instanceof Response && exchanges.isClosing ? closing(response) : response;
    };
  }

  #webSocket(handlers: BunWebSocketHandlers): BunWebSocketHandlers {
    return {
      ...handlers,
      open: (socket: BunWebSocket) => {
        this.traffic.opened(socket, { name: this.#upgrading });
        return handlers.open?.(socket);
      },
      close: (socket: BunWebSocket, code: number, reason: string) => {
        this.traffic.closed(socket);
        return handlers.close?.(socket, code, reason);
      },
    };
  }
}

/** Bun tells it by the request. */
const noAddress = () => ({ transport: "unix", path: "" }) as const;
