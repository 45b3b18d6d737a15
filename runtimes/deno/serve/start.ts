import { type FallbackAddress, formatAddress } from "../../../src/activation/address.ts";
import { Fd3Error } from "../../../src/errors.ts";
import type { Libc } from "../../../src/linux/libc.ts";
import { describe } from "../../../src/linux/socket.ts";
import { nextFd, transplant } from "../../../src/linux/transplant.ts";
import type { Registration } from "../../../src/linux/epoll.ts";
import type { Address } from "../../../src/types.ts";
import { noPlaceholder, placeholderAddress } from "../native.ts";
import { fromDeno, toDeno } from "../address.ts";
import { ownOrigin, requestsWithUrl } from "./request_url.ts";
import { deno, type DenoHttpServer, type DenoServeHandler } from "../types.ts";

/** Options of `Deno.serve()` but for the address, `signal` and `onListen`. */
export type DenoServeOptions = Readonly<Record<string, unknown>>;

/** One run of `Deno.serve()`: its object, and what is Deno's own of that. */
export interface Started extends Pick<DenoHttpServer, "finished" | "shutdown" | "ref" | "unref"> {
  readonly server: DenoHttpServer;
  /** Aborts its `signal`: everything is cut off. Only while it has not ended: Deno throws into the void otherwise. */
  readonly cancel: () => void;
  /** Where Deno accepts, and how it watches that; `undefined` where it does by itself. */
  readonly watched: Registration | undefined;
}

/** Whether the options ask for https. */
export function isTls(options: DenoServeOptions): boolean {
  return options.cert !== undefined || options.key !== undefined;
}

/**
 * `Deno.serve()` at an address.
 *
 * @throws What Deno says; a `TypeError` for a certificate or key that it cannot read.
 */
export function startAt(address: FallbackAddress, options: DenoServeOptions, handler: DenoServeHandler): Started {
  const { transport: _, ...where } = toDeno(address);
  const controller = new AbortController();
  // Without `onListen` Deno prints a line.
  const own = { ...options, ...where, signal: controller.signal, onListen: () => {} };
  try {
    const server = deno().serve(own, handler);
    return { ...server, server, cancel: () => controller.abort(), watched: undefined };
  } catch (error) {
    const { name, message } = error as Error;
    if (name !== "InvalidData") throw error;
    throw new TypeError(`Cannot serve with TLS: ${message}`, { cause: error });
  }
}

/** A placeholder of `Deno.serve()` on its way, and the socket that shall be in its place. */
class Transplant {
  readonly #libc: Libc;
  readonly #held: number;
  readonly #target: FallbackAddress;
  readonly placeholder: FallbackAddress;
  readonly #expectedFd: number;
  watched: Registration | undefined;
  #failure: unknown;
  /** Gives a request its URL where Deno has the placeholder's. */
  #correct: ((request: Request) => Request) | undefined;

  constructor(libc: Libc, held: number, target: FallbackAddress) {
    this.#libc = libc;
    this.#held = held;
    this.#target = target;
    this.placeholder = placeholderAddress(target);
    this.#expectedFd = nextFd(libc, held);
  }

  /**
   * The handler, in a function whose `length` is a way in: Deno 2.8 and later reads that when the placeholder is open, and before it asks for
   * the address that it tells to requests without one. So those are right by themselves, and no request needs a look.
   */
  wrap(handler: DenoServeHandler): DenoServeHandler {
    const { length } = handler;
    const bare = handler as () => Response | Promise<Response>;
    // Deno makes no Request for a handler without parameters.
    const own: DenoServeHandler = length === 0
      ? () => bare()
      : (request, info) => handler(this.#correct === undefined ? request : this.#correct(request), info);
    const get = () => {
      this.#tryEarly();
      Object.defineProperty(own, "length", { configurable: true, value: length });
      return length;
    };
    return Object.defineProperty(own, "length", { configurable: true, get });
  }

  #tryEarly(): void {
    const kind = describe(this.#libc, this.#expectedFd);
    if (kind.is !== "socket" || !kind.listening || !isSame(kind.address, this.placeholder)) return;
    try {
      this.#put(kind.address!);
    } catch (error) {
      this.#failure = error;
    }
  }

  #put(at: Address): void {
    // It is closed by `cancel()`, once there is something to cancel: Deno accepts nothing after that.
    this.watched = transplant(this.#libc, this.#held, {
      address: at,
      expected: this.#expectedFd,
      close: () => {},
    });
  }

  /** What is left to do once Deno has its placeholder. */
  finish(addr: Address, secure: boolean): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.watched !== undefined) return;
    if (addr.transport !== this.#target.transport) {
      // DENO_SERVE_ADDRESS= does that.
      throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot open a placeholder: Deno opened ${formatAddress(addr)}`);
    }
    const at = addr.transport === "unix" ? this.placeholder : addr as FallbackAddress;
    this.#put(at);
    const [wrong, right] = [ownOrigin(at, secure), ownOrigin(this.#target, secure)];
    this.#correct = requestsWithUrl((url) => url.startsWith(`${wrong}/`) ? right + url.slice(wrong.length) : url);
  }
}

/** Whether this is the placeholder: its port is the kernel's choice. */
function isSame(address: Address | undefined, placeholder: FallbackAddress): boolean {
  if (placeholder.transport === "unix") return address?.transport === "unix" && address.path === placeholder.path;
  return address?.transport === "tcp" && address.hostname === placeholder.hostname;
}

/**
 * `Deno.serve()` on a listening socket that we hold, by transplant. Both numbers stay open.
 *
 * @throws {Fd3Error} `ERR_FD3_TRANSPLANT`; nothing has changed then.
 * @param libc libc.
 * @param held Its number.
 * @param address Its address.
 */
export function startOn(
  libc: Libc,
  held: number,
  address: FallbackAddress,
  options: DenoServeOptions,
  handler: DenoServeHandler,
): Started {
  const placed = new Transplant(libc, held, address);
  const own = placed.wrap(handler);
  const started = startPlaceholder(placed.placeholder, options, own);
  const { server, finished, cancel } = started;
  try {
    placed.finish(fromDeno(server.addr), isTls(options));
  } catch (error) {
    finished.catch(() => {});
    cancel();
    throw error;
  }
  // The same object is behind `info.remoteAddr` of a Unix socket.
  Object.assign(server.addr, toDeno(address));
  return { ...started, watched: placed.watched };
}

function startPlaceholder(at: FallbackAddress, options: DenoServeOptions, handler: DenoServeHandler): Started {
  try {
    return startAt(at, options, handler);
  } catch (error) {
    throw error instanceof TypeError ? error : noPlaceholder(error);
  }
}
