import type { Address } from "../types.ts";

/** Tells somebody of an error that no client is told: a port, as what is stderr differs. */
export type Report = (error: unknown) => void;

/** A request whose handler has not given its response yet. */
export interface Exchange {
  readonly request: Request;
  /** The client's end. */
  readonly remote: () => Address;
  isOver: boolean;
}

/** Whether something is a promise, or the like. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}

/** How many are kept at least before those that are over are sorted out. */
const fewest = 64;

/**
 * What the handlers of a server are at. A handler that answers at once costs a number, any other one an object: this is on the way of every
 * request.
 */
export class Exchanges {
  #handled = 0;
  #running = 0;
  #isClosing = false;
  /** All that run, and some that are over. */
  #kept: Exchange[] = [];
  #most = fewest;

  /** How many requests came until now. */
  get handled(): number {
    return this.#handled;
  }

  /** How many handlers have not given their response yet. */
  get running(): number {
    return this.#running;
  }

  /** Whether every response says `connection: close`. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** From now on every response says `connection: close`. */
  startClosing(): void {
    this.#isClosing = true;
  }

  /** A request came. */
  count(): void {
    this.#handled++;
  }

  /**
   * What comes of a promise, whose handler runs until then.
   *
   * @param promised What the handler gave.
   * @param request The request.
   * @param remote The client's end.
   * @param onValue What comes of its value.
   * @param onFailure What comes of its failure.
   */
  until<T>(
    promised: PromiseLike<unknown>,
    request: Request,
    remote: () => Address,
    onValue: (value: unknown) => T | PromiseLike<T>,
    onFailure: (error: unknown) => T | PromiseLike<T>,
  ): Promise<T> {
    const exchange = this.#begin(request, remote);
    const promise = promised instanceof Promise ? promised as Promise<unknown> : Promise.resolve(promised);
    return promise.then((value) => {
      this.#end(exchange);
      return onValue(value);
    }, (error) => {
      this.#end(exchange);
      return onFailure(error);
    });
  }

  #begin(request: Request, remote: () => Address): Exchange {
    this.#running++;
    const exchange = { request, remote, isOver: false };
    if (this.#kept.push(exchange) === this.#most) this.#sortOut();
    return exchange;
  }

  #end(exchange: Exchange): void {
    exchange.isOver = true;
    this.#running--;
  }

  #sortOut(): void {
    this.#kept = this.#kept.filter(({ isOver }) => !isOver);
    this.#most = Math.max(fewest, 2 * this.#kept.length);
  }

  /** Those whose handlers run. */
  underWay(): readonly Exchange[] {
    this.#sortOut();
    return this.#kept;
  }
}

/** A request as a person reads it: `GET /events`. */
export function nameOf({ method, url }: { readonly method: string; readonly url: string }): string {
  const at = url.indexOf("/", url.indexOf("://") < 0 ? 0 : url.indexOf("://") + 3);
  const path = at < 0 ? "/" : url.slice(at);
  // What follows may be a secret.
  return `${method} ${path.split("?")[0]}`;
}
