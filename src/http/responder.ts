import type { Address } from "../types.ts";
import { closing } from "./closing.ts";
import type { EngineHandler } from "./engine.ts";
import { Exchanges, isThenable, type Report } from "./exchanges.ts";
import type { UpgradeOptions } from "./web_socket_types.ts";
import type { WebSockets } from "./web_sockets.late.ts";
import type { ServeHandler, ServeInfo, ServeOptions } from "./types.ts";

/** Nothing is asked of the engine before the handler asks. */
class Info implements ServeInfo {
  readonly #remote: () => Address;
  readonly #local: () => Address;
  readonly #request: Request;
  readonly #webSockets: WebSockets | undefined;

  constructor(remote: () => Address, local: () => Address, request: Request, webSockets: WebSockets | undefined) {
    this.#remote = remote;
    this.#local = local;
    this.#request = request;
    this.#webSockets = webSockets;
  }

  get remoteAddress(): Address {
    return this.#remote();
  }

  get localAddress(): Address {
    return this.#local();
  }

  upgrade(options?: UpgradeOptions): Response {
    if (this.#webSockets !== undefined) return this.#webSockets.response(this.#request, options);
    throw new TypeError("Cannot upgrade the connection: serve() was called without the option websocket");
  }
}

function noResponse(who: string, value: unknown): TypeError {
  const what = typeof value === "object" && value !== null ? "an object" : String(value);
  return new TypeError(`Cannot answer the request: ${who} returned ${what}, not a Response`);
}

/** Told of a response before it is sent. */
type Sent = ((response: Response) => void) | undefined;

/** The user's handler as an engine wants it: every failure is a response, and how many run is known. */
export class Responder implements EngineHandler {
  readonly exchanges: Exchanges = new Exchanges();
  readonly webSockets: WebSockets | undefined;
  readonly #report: Report;
  readonly #handler: ServeHandler;
  readonly #onError: ServeOptions["onError"];

  constructor(handler: ServeHandler, onError: ServeOptions["onError"], report: Report, webSockets?: WebSockets) {
    this.#handler = handler;
    this.#onError = onError;
    this.#report = report;
    this.webSockets = webSockets;
  }

  // A handler that answers at once costs one object, no promise and no closure: this is on the way of every request.
  handle(request: Request, remote: () => Address, local: () => Address, sent?: Sent): Response | Promise<Response> {
    this.exchanges.count();
    let result: unknown;
    try {
      result = this.#handler(request, new Info(remote, local, request, this.webSockets));
    } catch (error) {
      return this.#recover(error, request, remote, sent);
    }
    if (result instanceof Response) return this.#finish(result, sent);
    if (!isThenable(result)) return this.#recover(noResponse("the handler", result), request, remote, sent);
    return this.exchanges.until(result, request, remote, (value) => {
      if (value instanceof Response) return this.#finish(value, sent);
      return this.#recover(noResponse("the handler", value), request, remote, sent);
    }, (error) => this.#recover(error, request, remote, sent));
  }

  #finish(response: Response, sent: Sent): Response {
    const whole = this.exchanges.isClosing ? closing(response) : response;
    if (sent !== undefined) sent(whole);
    return whole;
  }

  #recover(error: unknown, request: Request, remote: () => Address, sent: Sent): Response | Promise<Response> {
    if (this.#onError === undefined) return this.#giveUp([error], sent);
    const giveUp = (second: unknown) => this.#giveUp([error, second], sent);
    const check = (made: unknown) =>
      made instanceof Response ? this.#finish(made, sent) : giveUp(noResponse("onError", made));
    let made: unknown;
    try {
      made = this.#onError(error);
    } catch (second) {
      return giveUp(second);
    }
    return isThenable(made) ? this.exchanges.until(made, request, remote, check, giveUp) : check(made);
  }

  #giveUp(errors: readonly unknown[], sent: Sent): Response {
    for (const error of errors) {
      try {
        this.#report(error);
      } catch {
        // A stderr that cannot be written to is no reason not to answer.
      }
    }
    return this.#finish(new Response("Internal Server Error", { status: 500 }), sent);
  }
}
