import type { Address } from "../../../src/types.ts";
import { stopReason } from "../../../src/http/engine.ts";
import { nameOf } from "../../../src/http/exchanges.ts";
import { socketAddress } from "../net_connection.ts";
import type { HttpSocket, IncomingMessage, ServerResponse } from "./types.ts";

const key: unique symbol = Symbol("fd3.connection");
const abortKey: unique symbol = Symbol("fd3.abort");

const endlessKey: unique symbol = Symbol("fd3.endless");

type Marked<T> = T & {
  [key]?: HttpConnection;
  [abortKey]?: (reason: unknown) => void;
  [endlessKey]?: boolean;
};

/** What a connection must know of the server that it belongs to. */
export interface Owner {
  /** Where the server listens. */
  readonly listener: Address;
  /** Whether every response says `connection: close`. */
  readonly isClosing: boolean;
  /** Whether each connection is ended as soon as its answers are complete. */
  readonly isEnding: boolean;
}

/** "Going away" (RFC 6455, 7.4.1), and a whole close frame of a server that says so. */
const goingAway = 1001;
const goingAwayFrame = Uint8Array.of(0x88, 2, goingAway >> 8, goingAway & 0xff);

/** In so many looks in a row a handler must have had nothing to send: it may be between two parts of a body. */
const idleLooks = 3;

/** How long the client of a WebSocket has to answer the close frame, in milliseconds. */
const closeMs = 1000;

/** What is known of an upgrade of ours. */
interface UpgradedParts {
  /** The response that was begun for it. */
  readonly outgoing?: ServerResponse;
  /** Ends the WebSocket with a code. */
  readonly end?: (code: number) => void;
}

/** Whether nothing says how long a response is, and the handler still writes it. */
function isOpenEnded(outgoing: Marked<ServerResponse>): boolean {
  if (!outgoing.headersSent || outgoing.writableEnded) return false;
  // Asked again and again at the stop, and its headers do not change any more.
  return outgoing[endlessKey] ??= headerOf(outgoing, "content-length") === undefined;
}

/** A header of a response that has begun. What `writeHead()` was given is in its text alone (Node's lib/_http_outgoing.js). */
function headerOf(outgoing: ServerResponse, name: string): string | undefined {
  const value = outgoing.getHeader(name);
  return value === undefined
    ? new RegExp(`\r\n${name}: *([^\r]*)`, "i").exec(outgoing._header ?? "")?.[1]
    : String(value);
}

/** Whether it is an event stream, which never ends by itself. */
export function isEvents(outgoing: ServerResponse): boolean {
  return headerOf(outgoing, "content-type")?.startsWith("text/event-stream") === true;
}

/**
 * One connection, and how far its requests are.
 *
 * What is under way is asked of the socket. Only where the socket does not tell it, and while the server ends, is a response watched:
 * that costs each request something.
 */
export class HttpConnection {
  readonly socket: HttpSocket;
  readonly #owner: Owner;
  /** How many requests have come. */
  requests = 0;
  readonly #watched: Set<ServerResponse> = new Set();
  /** How many bytes had come when it was idle last, as far as that was looked at. */
  #bytesAnswered = Infinity;
  /** The request that made another protocol of it. */
  #upgrade: IncomingMessage | undefined;
  #endProtocol: ((code: number) => void) | undefined;
  /** In how many looks in a row nothing waited to be sent. */
  #idleLooks = 0;

  constructor(socket: HttpSocket, owner: Owner) {
    this.socket = socket;
    this.#owner = owner;
    (socket as Marked<HttpSocket>)[key] = this;
  }

  /** The connection of a socket. */
  static of(socket: HttpSocket): HttpConnection | undefined {
    return (socket as Marked<HttpSocket>)[key];
  }

  /** The response under way, if it is not watched. */
  get #current(): ServerResponse | undefined {
    const { _httpMessage: current } = this.socket;
    return current && !(key in current) ? current : undefined;
  }

  /** The responses that are not complete. */
  get responses(): ServerResponse[] {
    const current = this.#current;
    return current === undefined ? [...this.#watched] : [...this.#watched, current];
  }

  /** How many responses are not complete. */
  get pending(): number {
    return this.#watched.size + (this.#current === undefined ? 0 : 1);
  }

  /** Those of unknown length that the handler still writes. */
  get streams(): ServerResponse[] {
    return this.pending === 0 ? [] : this.responses.filter(isOpenEnded);
  }

  /** The request that made another protocol of it, as of a WebSocket. */
  get upgrade(): IncomingMessage | undefined {
    return this.#upgrade;
  }

  /** Whether it owes us a request: it has sent none yet, or the beginning of one. */
  get isUnread(): boolean {
    if (this.pending > 0 || this.#upgrade !== undefined) return false;
    return this.requests === 0 || this.socket.bytesRead > this.#bytesAnswered;
  }

  /** A request came. */
  began(outgoing: ServerResponse): void {
    this.requests++;
    if (this.#owner.isClosing) outgoing.shouldKeepAlive = false;
    // One that waits in a pipeline is not the socket's yet.
    if (this.#owner.isClosing || this.socket._httpMessage !== outgoing) this.#watch(outgoing);
  }

  /** It speaks another protocol from now on. */
  upgraded(incoming: IncomingMessage, { outgoing, end }: UpgradedParts = {}): void {
    this.requests++;
    this.#upgrade = incoming;
    this.#endProtocol = end;
    if (outgoing !== undefined) this.#watched.delete(outgoing);
  }

  #watch(outgoing: ServerResponse): void {
    (outgoing as Marked<ServerResponse>)[key] = this;
    this.#watched.add(outgoing);
    outgoing.on("close", onAnswered);
  }

  answered(outgoing: ServerResponse): void {
    this.#watched.delete(outgoing);
    this.#bytesAnswered = this.socket.bytesRead;
    if (this.#owner.isEnding) this.end();
  }

  /** From now on it matters when its answers are complete. */
  startClosing(): void {
    const current = this.#current;
    if (current === undefined) {
      if (this.pending === 0) this.#bytesAnswered = this.socket.bytesRead;
      return;
    }
    if (!current.headersSent) current.shouldKeepAlive = false;
    this.#watch(current);
  }

  /** Ends it if it is idle. A client that has sent nothing at all, or half a request, is no longer waited for. */
  end(): void {
    if (this.pending > 0 || this.#upgrade !== undefined) return;
    // On Bun, where nothing feeds the server, no byte is counted, and a request may have come since the last look.
    if (this.isUnread && (this.requests > 0 || this.socket.bytesRead === 0)) this.socket.destroy();
    else this.socket.destroySoon();
  }

  /** Ends what may never end. A response whose client reads slowly goes on. */
  endStreams(): void {
    const { streams } = this;
    if (streams.length > 0) {
      this.#idleLooks = streams.some(({ writableLength }) => writableLength > 0) ? 0 : this.#idleLooks + 1;
      if (this.#idleLooks < idleLooks) return;
      this.#cut();
    } else if (this.#upgrade !== undefined) {
      this.#endUpgrade(this.#upgrade);
    }
  }

  /** By a reset, where there is one: HTTP/1.0 takes a plain end for that of the body. Node has none over TLS. */
  #cut(): void {
    const { socket } = this;
    const isPlain = this.#owner.listener.transport === "tcp" && socket.encrypted !== true;
    if (isPlain && socket.resetAndDestroy !== undefined) socket.resetAndDestroy();
    else socket.destroy();
  }

  #isEndingUpgrade = false;

  #endUpgrade({ headers }: IncomingMessage): void {
    if (this.#isEndingUpgrade) return;
    this.#isEndingUpgrade = true;
    if (headers.upgrade?.toLowerCase() !== "websocket") return void this.socket.destroySoon();
    // Whatever library speaks for it writes each frame as a whole.
    if (this.#endProtocol === undefined) this.socket.write(goingAwayFrame);
    else this.#endProtocol(goingAway);
    const timer = setTimeout(() => this.socket.destroy(), closeMs);
    this.socket.once("close", () => clearTimeout(timer));
  }

  // Made once for a connection, not for each of its requests.
  readonly remote = (): Address => {
    const { remoteAddress, remotePort } = this.socket;
    return socketAddress(this.#owner.listener, remoteAddress, remotePort);
  };

  readonly local = (): Address => {
    const { listener } = this.#owner;
    const { localAddress, localPort } = this.socket;
    return listener.transport === "tcp" ? socketAddress(listener, localAddress, localPort) : listener;
  };
}

/** One function for all answers. */
function onAnswered(this: ServerResponse): void {
  (this as Marked<ServerResponse>)[key]!.answered(this);
}

/** Remembers what aborts the signal of a request. */
export function noteAbort(outgoing: ServerResponse, abort: (reason: unknown) => void): void {
  (outgoing as Marked<ServerResponse>)[abortKey] = abort;
}

/** Tells a handler that its response is to end, where it has a signal. */
export function abortResponse(outgoing: ServerResponse): void {
  (outgoing as Marked<ServerResponse>)[abortKey]?.(stopReason());
}

/** The request of a response as a person reads it. */
export function nameOfMessage(incoming: IncomingMessage | undefined): string | undefined {
  return incoming && nameOf({ method: incoming.method ?? "GET", url: incoming.url ?? "/" });
}
