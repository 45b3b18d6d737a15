import { quoted } from "../quoted.ts";
import type { Address } from "../types.ts";
import type { Topics } from "./topics.ts";
import type { WebSocketData, WebSocketPeer } from "./web_socket_types.ts";

/** A peer of crossws, in a shape of our own. https://crossws.h3.dev/guide/peer */
export interface RawPeer {
  readonly id: string;
  /** What the hook `upgrade` gave. */
  readonly context: object;
  readonly bufferedAmount: number;
  send(data: WebSocketData): unknown;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** What is known of a WebSocket from its request on. */
export interface Origin {
  /** A copy: a runtime's own can tell nothing any more once it is upgraded (Deno). */
  readonly request: Request;
  readonly remoteAddress: Address;
  readonly context: Record<string, unknown>;
  /** Cuts it off, where the library cannot. */
  readonly terminate?: (() => void) | undefined;
}

/** The longest reason that a close frame has place for (RFC 6455, 5.5). */
const longestReason = 123;

/** The codes that may be sent (RFC 6455, 7.4, and the registry of IANA). */
function isSendable(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
}

/** Each runtime checks something else. */
function checkClose(code: unknown, reason: unknown): void {
  const refuse = (what: string): never => {
    throw new TypeError(`Cannot close the WebSocket: ${what}`);
  };
  if (!Number.isInteger(code) || !isSendable(code as number)) {
    refuse(`code is ${quoted(code)}, not one that can be sent, such as 1000 or 3000 to 4999`);
  }
  if (reason === undefined) return;
  if (typeof reason !== "string") refuse(`reason is ${quoted(reason)}, not a text`);
  const { length } = new TextEncoder().encode(reason as string);
  if (length > longestReason) refuse(`reason has ${length} bytes, more than ${longestReason}`);
}

/** What each handler gets: a peer of crossws, the same on each engine. */
export class Peer implements WebSocketPeer {
  readonly #raw: RawPeer;
  readonly #origin: Origin;
  readonly #topics: Topics<Peer>;

  constructor(raw: RawPeer, origin: Origin, topics: Topics<Peer>) {
    this.#raw = raw;
    this.#origin = origin;
    this.#topics = topics;
  }

  get id(): string {
    return this.#raw.id;
  }

  get request(): Request {
    return this.#origin.request;
  }

  get remoteAddress(): Address {
    return this.#origin.remoteAddress;
  }

  get context(): Record<string, unknown> {
    return this.#origin.context;
  }

  get bufferedAmount(): number {
    return this.#raw.bufferedAmount;
  }

  send(data: WebSocketData): void {
    this.#raw.send(data);
  }

  publish(topic: string, data: WebSocketData): void {
    for (const peer of this.#topics.of(topic)) if (peer !== this) peer.send(data);
  }

  subscribe(topic: string): void {
    this.#topics.add(topic, this);
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic, this);
  }

  // Without a code, Deno sends 0.
  close(code = 1000, reason?: string): void {
    checkClose(code, reason);
    this.#raw.close(code, reason);
  }

  terminate(): void {
    const { terminate } = this.#origin;
    if (terminate === undefined) this.#raw.terminate();
    else terminate();
  }
}
