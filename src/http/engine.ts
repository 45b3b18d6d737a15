import type { Address } from "../types.ts";
import type { EngineName } from "./types.ts";

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
   * How many accepted connections have sent nothing that was read yet, as TCP_INFO tells it (`tcpi_bytes_received` is 0);
   * `undefined` where nobody can tell (Unix sockets, no libc): then a fixed grace is waited.
   */
  unread(): number | undefined;
  /** How many accepted connections are open, where that is known. */
  connections(): number | undefined;
  /** The runtime's own graceful end, once nothing is in flight. */
  close(): Promise<void>;
  /** Cuts off what is still open. */
  abort(): void;
  ref(): void;
  unref(): void;
  /** Rejects if the engine ends by itself; never resolves before `close()` or `abort()`. */
  readonly finished: Promise<void>;
}

/** What each engine calls for a request, and what it must do to the response. */
export interface EngineHandler {
  /**
   * Never throws. While draining, the response has `connection: close`.
   *
   * @param request The request; its `url` carries the authority of the Host header.
   * @param remote The client's end, made when it is asked for.
   * @param local Our end, made when it is asked for.
   */
  (request: Request, remote: () => Address, local: () => Address): Response | Promise<Response>;
}
