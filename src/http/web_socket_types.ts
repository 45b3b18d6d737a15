import type { Address } from "../types.ts";

/** What can be sent: a text, or bytes. */
export type WebSocketData = string | Uint8Array | ArrayBuffer;

/** What a request becomes a WebSocket with. */
export interface UpgradeOptions {
  /** Headers of the response: `sec-websocket-protocol`, for one of the protocols that the client offers; `set-cookie`. */
  readonly headers?: Headers | Record<string, string> | [string, string][];
  /** What {@linkcode WebSocketPeer.context} is from the start, such as the user that the handler has found. */
  readonly context?: Record<string, unknown>;
}

/** One WebSocket, as its handlers have it: the same object each time. */
export interface WebSocketPeer {
  /** A UUID of its own. */
  readonly id: string;
  /** The request that it was made of: a copy with the URL and the headers. */
  readonly request: Request;
  /** The client's end; a Unix client is usually unnamed. */
  readonly remoteAddress: Address;
  /** Whatever its handlers keep with it. */
  readonly context: Record<string, unknown>;
  /** How many bytes wait to be sent. */
  readonly bufferedAmount: number;
  /**
   * Sends a message. To one that is closed already, nothing is sent. What the client does not take waits in memory: look at `bufferedAmount`
   * before you send much. `bun-serve` cuts a client off for which more than 64 MiB wait.
   */
  send(data: WebSocketData): void;
  /** Sends a message to all others of this server that are subscribed to a topic. */
  publish(topic: string, data: WebSocketData): void;
  /** From now on it gets what others publish for a topic. */
  subscribe(topic: string): void;
  /** It gets it no more. */
  unsubscribe(topic: string): void;
  /**
   * Closes it, with the close frame of RFC 6455.
   *
   * @param code 1000 (the default), 1008 (policy violation), or another that can be sent, such as 3000 to 4999.
   * @param reason At most 123 bytes of UTF-8.
   * @throws {TypeError} If that cannot be sent.
   */
  close(code?: number, reason?: string): void;
  /** Cuts it off, without a close frame. `deno-serve` can do that on TCP; on a Unix socket it closes. */
  terminate(): void;
}

/** A message of a client. */
export interface WebSocketMessage {
  /** As it came: a text, or bytes. */
  readonly rawData: WebSocketData;
  /** As text. */
  text(): string;
  /**
   * What the text says in JSON.
   *
   * @throws {SyntaxError} If it is none.
   */
  json(): unknown;
  /** As bytes. */
  uint8Array(): Uint8Array;
}

/** How a WebSocket ended. */
export interface WebSocketClose {
  /** Of the close frame (RFC 6455, 7.4): 1005 if there was none in it, 1006 if there was no frame, because the client vanished. */
  readonly code: number;
  /** Of the close frame. */
  readonly reason: string;
}

/**
 * What happens to WebSockets: any of them may be left out. What one throws, or its promise rejects with, goes to `error`; without that, to
 * stderr, for the journal at priority `err`. The WebSocket stays open.
 */
export interface WebSocketHandlers {
  /** It is open. */
  open?(peer: WebSocketPeer): void | Promise<void>;
  /** A message came. It is called for each, also while an earlier call has not settled. */
  message?(peer: WebSocketPeer, message: WebSocketMessage): void | Promise<void>;
  /** It is closed, by either side. */
  close?(peer: WebSocketPeer, details: WebSocketClose): void | Promise<void>;
  /**
   * Another of these failed; or the connection did, as when the client breaks the protocol: then `close` follows. `bun-serve` tells no failure of
   * a connection but by `close`.
   */
  error?(peer: WebSocketPeer, error: unknown): void | Promise<void>;
}
