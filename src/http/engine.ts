import type { FallbackAddress } from "../activation/address.ts";
import type { Choice } from "../activation/choose.ts";
import type { Address, FileAccess } from "../types.ts";
import type { Exchanges } from "./exchanges.ts";
import type { EngineName, TlsOptions } from "./types.ts";
import type { WebSockets } from "./web_sockets.late.ts";

/** What is still open at a server, for the log. */
export interface OpenPart {
  readonly is: "request" | "response" | "WebSocket" | "connection";
  /** Such as `GET /events`; `undefined` where the engine cannot tell. */
  readonly name: string | undefined;
}

/** Responses of type text/event-stream, or all of unknown length. */
export type StreamKind = "events" | "all";

/** What `request.signal` says at the stop. */
export function stopReason(): DOMException {
  return new DOMException("The server stops", "AbortError");
}

/** What is under way at a server, for all that decide when it can end. */
export interface Traffic {
  /** Requests that have no whole answer yet and end by themselves. One whose client is gone does not count, where the engine can tell. */
  inFlight(): number;
  /** Responses of unknown length that the handler still writes, and WebSockets: they may never end by themselves. */
  streams(): number;
  /** How many accepted connections are open; `undefined` where the engine cannot tell. */
  connections(): number | undefined;
  /**
   * How many accepted connections owe us a request: they have sent nothing that was read yet, or half a request, as far as the engine can
   * tell; `undefined` where it cannot (Unix sockets, no libc): then a fixed grace is waited.
   */
  unread(): number | undefined;
  /** How many requests came until now. */
  handled(): number;
}

/** What a runtime's engine gives: the moves that the drain is made of. What is common is built upon it once. */
export interface Engine extends Traffic {
  /** An {@linkcode EngineName}, or what an attached server is. */
  readonly name: string;
  /** Where it really listens, never the placeholder's. */
  readonly address: Address;
  /** Where it listens as well, where it has several sockets. */
  readonly addresses?: readonly Address[];
  /**
   * Stops accepting now, and gives the inherited descriptor up; what nobody has accepted stays in its queue. Connections that were
   * accepted go on, and every response says `connection: close`. Deletes the socket file if it was made here. Calling it again does nothing.
   */
  stopAccepting(): void;
  /** What is open, by name. */
  open(): OpenPart[];
  /** Aborts `request.signal` of the responses that the handler still writes now, so that it can end them. */
  abortStreams(which: StreamKind): void;
  /**
   * Ends what may never end: closes WebSockets with 1001, and cuts the connections of streams off, so that no body looks complete.
   * Connections on which a response of known length is on its way go on. It may be called again for what is left.
   */
  endStreams(): void;
  /**
   * Closes from now on, until it stops accepting, each connection of which can be told that it has no request under way and that nothing
   * has moved on it for so long. One that may have a request under way is never closed.
   *
   * @param limitMs How long, in milliseconds; Infinity closes none.
   */
  closeIdle(limitMs: number): void;
  /** The runtime's own graceful end, once nothing is in flight. */
  close(): Promise<void>;
  /** Cuts off what is still open; `finished` settles soon after. */
  abort(): void;
  ref(): void;
  unref(): void;
  /** Rejects if the engine ends by itself; never resolves before `close()` or `abort()`, unless what it serves was closed by others. */
  readonly finished: Promise<void>;
}

/** What each engine calls for a request, and what it knows of the handlers. */
export interface EngineHandler {
  /** What they are at. */
  readonly exchanges: Exchanges;
  /** Those that responses of `handle()` may ask for, and get by `WebSockets.answer()`. */
  readonly webSockets?: WebSockets | undefined;
  /**
   * Never throws. While draining, the response has `connection: close`.
   *
   * @param request The request; its `url` carries the authority of the Host header.
   * @param remote The client's end, made when it is asked for.
   * @param local Our end, made when it is asked for.
   * @param sent Told of the response, where the engine must know it.
   */
  handle(
    request: Request,
    remote: () => Address,
    local: () => Address,
    sent?: (response: Response) => void,
  ): Response | Promise<Response>;
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
    access: FileAccess,
    handler: EngineHandler,
    tls: TlsOptions | undefined,
  ): Engine | Promise<Engine>;
}
