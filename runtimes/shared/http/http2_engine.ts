import type { OpenPart } from "../../../src/http/engine.ts";
import { nameOf } from "../../../src/http/exchanges.ts";
import { NetEngine, type NetListening } from "../net_engine.ts";
import type { NetServer } from "../node_types.ts";

/** `http2.ServerHttp2Session`. https://nodejs.org/api/http2.html */
interface Http2Session {
  readonly closed: boolean;
  readonly destroyed: boolean;
  close(): void;
  destroy(): void;
  on(event: "close", listener: () => void): unknown;
}

/** `http2.ServerHttp2Stream`. */
interface Http2Stream {
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly sentHeaders?: Readonly<Record<string, unknown>>;
  close(code: number): void;
  on(event: "close", listener: () => void): unknown;
}

/** INTERNAL_ERROR (RFC 9113, 7): the body is not whole. */
const internalError = 2;

/** Whether nothing says how long a response is, and the handler still writes it. */
function isOpenEnded({ headersSent, writableEnded, sentHeaders }: Http2Stream): boolean {
  return headersSent && !writableEnded && sentHeaders?.["content-length"] === undefined;
}

/**
 * A server of node:http2. At the stop each session says GOAWAY, so that its client sends what it has not begun yet to the next instance, and
 * ends once its requests are answered. A connection that speaks HTTP/1 (`allowHTTP1`) counts as in flight until it ends.
 */
export class Http2Engine extends NetEngine {
  override readonly name = "node-http2";
  readonly #sessions: Set<Http2Session> = new Set();
  readonly #streams: Map<Http2Stream, string> = new Map();
  #requests = 0;
  #isClosing = false;

  constructor(server: NetServer, listening: NetListening) {
    super(server, listening);
    server.on("session", (session: Http2Session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      // It was shaking hands.
      if (this.#isClosing) session.close();
    });
    server.on("stream", (stream: Http2Stream, headers: Readonly<Record<string, string>>) => {
      this.#requests++;
      this.#streams.set(stream, nameOf({ method: headers[":method"], url: headers[":path"] ?? "/" }));
      stream.on("close", () => this.#streams.delete(stream));
    });
  }

  override stopAccepting(): void {
    super.stopAccepting();
    this.#isClosing = true;
    for (const session of this.#sessions) if (!session.closed) session.close();
  }

  override inFlight(): number {
    // A session without streams is at its end, or at its beginning.
    return this.#streams.size - this.streams() + Math.max(0, this.sockets.size - this.#sessions.size);
  }

  override streams(): number {
    let count = 0;
    for (const stream of this.#streams.keys()) if (isOpenEnded(stream)) count++;
    return count;
  }

  override handled(): number {
    return this.#requests;
  }

  override open(): OpenPart[] {
    return [...this.#streams].map(([stream, name]) => ({ is: isOpenEnded(stream) ? "response" : "request", name }));
  }

  override endStreams(): void {
    for (const stream of this.#streams.keys()) if (isOpenEnded(stream)) stream.close(internalError);
    // A client that does not answer the GOAWAY.
    if (this.#streams.size === 0) { for (const session of this.#sessions) session.destroy(); }
  }
}
