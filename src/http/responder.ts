import type { Address } from "../types.ts";
import { closing } from "./closing.ts";
import type { EngineHandler } from "./engine.ts";
import type { ServeHandler, ServeInfo, ServeOptions } from "./types.ts";

/** Tells somebody of an error that no client is told: a port, as what is stderr differs. */
export type Report = (error: unknown) => void;

/** Nothing is asked of the engine before the handler asks. */
class Info implements ServeInfo {
  readonly #remote: () => Address;
  readonly #local: () => Address;

  constructor(remote: () => Address, local: () => Address) {
    this.#remote = remote;
    this.#local = local;
  }

  get remoteAddress(): Address {
    return this.#remote();
  }

  get localAddress(): Address {
    return this.#local();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}

function noResponse(who: string, value: unknown): TypeError {
  const what = typeof value === "object" && value !== null ? "an object" : String(value);
  return new TypeError(`Cannot answer the request: ${who} returned ${what}, not a Response`);
}

/**
 * Whether a handler cannot look at its arguments: an arrow function without any. Deno.serve() makes no `Request` for a function of no
 * parameters, but `length` alone is also 0 for `(...args) =>`, and for a `function` that reads `arguments`.
 */
function asksNothing(handler: ServeHandler): boolean {
  return handler.length === 0 && /^(?:async\s*)?\(\s*\)\s*=>/.test(Function.prototype.toString.call(handler));
}

/**
 * The user's handler as an engine wants it: every failure is a response, and how many run is known. A handler that answers at once
 * costs one object, no promise and no closure: this is on the way of every request.
 */
export class Responder {
  readonly #onError: ServeOptions["onError"];
  readonly #report: Report;
  #running = 0;
  #handled = 0;
  #isClosing = false;
  /** What the engine calls. It has no parameters where the user's handler looks at none. */
  readonly handle: EngineHandler;

  constructor(handler: ServeHandler, onError: ServeOptions["onError"], report: Report) {
    this.#onError = onError;
    this.#report = report;
    const simple = handler as () => unknown;
    this.handle = asksNothing(handler)
      ? () => {
        this.#handled++;
        let result: unknown;
        try {
          result = simple();
        } catch (error) {
          return this.#recover(error);
        }
        return this.#respond(result);
      }
      : (request, remote, local) => {
        this.#handled++;
        let result: unknown;
        try {
          result = handler(request, new Info(remote, local));
        } catch (error) {
          return this.#recover(error);
        }
        return this.#respond(result);
      };
  }

  /** How many handlers have not given their response yet. */
  get running(): number {
    return this.#running;
  }

  /** How many requests came until now. */
  get handled(): number {
    return this.#handled;
  }

  /** From now on every response says `connection: close`. */
  startClosing(): void {
    this.#isClosing = true;
  }

  #respond(result: unknown): Response | Promise<Response> {
    if (result instanceof Response) return this.#isClosing ? closing(result) : result;
    if (!isThenable(result)) return this.#recover(noResponse("the handler", result));
    this.#running++;
    const promise = result instanceof Promise ? result as Promise<unknown> : Promise.resolve(result);
    return promise.then(this.#onResult, this.#onFailure);
  }

  readonly #onResult = (result: unknown): Response | Promise<Response> => {
    this.#running--;
    if (result instanceof Response) return this.#isClosing ? closing(result) : result;
    return this.#recover(noResponse("the handler", result));
  };

  readonly #onFailure = (error: unknown): Response | Promise<Response> => {
    this.#running--;
    return this.#recover(error);
  };

  #recover(error: unknown): Response | Promise<Response> {
    if (this.#onError === undefined) return this.#giveUp([error]);
    const giveUp = (second: unknown) => this.#giveUp([error, second]);
    const check = (made: unknown) => {
      if (!(made instanceof Response)) return giveUp(noResponse("onError", made));
      return this.#isClosing ? closing(made) : made;
    };
    let made: unknown;
    try {
      made = this.#onError(error);
    } catch (second) {
      return giveUp(second);
    }
    if (!isThenable(made)) return check(made);
    this.#running++;
    return Promise.resolve(made).finally(() => this.#running--).then(check, giveUp);
  }

  #giveUp(errors: readonly unknown[]): Response {
    for (const error of errors) {
      try {
        this.#report(error);
      } catch {
        // A stderr that cannot be written to is no reason not to answer.
      }
    }
    const response = new Response("Internal Server Error", { status: 500 });
    return this.#isClosing ? closing(response) : response;
  }
}
