import type { FallbackAddress } from "../activation/address.ts";
import type { Choice } from "../activation/choose.ts";
import type { Address } from "../types.ts";
import type { EngineName, TlsOptions } from "./types.ts";

/** What a runtime's engine gives: the moves that the drain is made of. What is common is built upon it once. */
export interface Engine {
  readonly name: EngineName;
  /** Where it really listens, never the placeholder's. */
  readonly address: Address;
  /**
   * Stops accepting now, and gives the inherited descriptor up; what nobody has accepted stays in its queue. Connections that were
   * accepted go on. Deletes the socket file if it was made here. Calling it again does nothing.
   */
  stopAccepting(): void;
  /**
   * How many accepted connections have sent nothing that was read yet, as TCP_INFO tells it (`tcpi_bytes_received` is 0), or half a
   * request, where the runtime tells; `undefined` where nobody can tell (Unix sockets, no libc): then a fixed grace is waited.
   */
  unread(): number | undefined;
  /** How many accepted connections are open, where that is known. */
  connections(): number | undefined;
  /**
   * How many requests were handed to the handler and have no whole answer yet, bodies that are streamed included. Where it is missing,
   * the handlers that run are all that is known.
   */
  pending?(): number;
  /**
   * Closes from now on, until it stops accepting, each connection of which can be told that it has no request under way and that nothing
   * has moved on it for so long. One that may have a request under way is never closed.
   *
   * @param limitMs How long, in milliseconds; Infinity closes none.
   * @param inFlight How many requests are known to be under way at the server.
   */
  closeIdle(limitMs: number, inFlight: () => number): void;
  /** The runtime's own graceful end, once nothing is in flight. */
  close(): Promise<void>;
  /** Cuts off what is still open; `finished` settles soon after. */
  abort(): void;
  ref(): void;
  unref(): void;
  /** Rejects if the engine ends by itself; never resolves before `close()` or `abort()`. */
  readonly finished: Promise<void>;
}

/** What each engine calls for a request, and what it must do to the response. */
export interface EngineHandler {
  /**
   * Never throws. While draining, the response has `connection: close`. Its `length` is 0 where it looks at no argument.
   *
   * @param request The request; its `url` carries the authority of the Host header.
   * @param remote The client's end, made when it is asked for.
   * @param local Our end, made when it is asked for.
   */
  (request: Request, remote: () => Address, local: () => Address): Response | Promise<Response>;
}

/** One of the engines that a runtime has. */
export interface EngineMaker {
  readonly name: EngineName;
  /**
   * An engine on the inherited descriptor. On a failure the descriptor must be as it was.
   *
   * @throws {Fd3Error} `ERR_FD3_FFI`, `ERR_FD3_PLATFORM` or `ERR_FD3_TRANSPLANT` where this engine cannot be had here, or does not do
   * what is asked; then the next one is tried.
   */
  adopt(choice: Choice, handler: EngineHandler, tls: TlsOptions | undefined): Engine | Promise<Engine>;
  /** An engine at an address. On a failure nothing is left of it. */
  open(
    address: FallbackAddress,
    mode: number | undefined,
    handler: EngineHandler,
    tls: TlsOptions | undefined,
  ): Engine | Promise<Engine>;
}
