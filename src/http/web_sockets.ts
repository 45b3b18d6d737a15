import { isThenable } from "./exchanges.ts";
import type { Report } from "./responder.ts";
import { takeUpgrade, type Upgrade } from "./upgrade.ts";
import { type Origin, Peer, type RawPeer } from "./web_socket_peer.ts";
import type { WebSocketClose, WebSocketHandlers, WebSocketMessage } from "./web_socket_types.ts";

/** What crossws calls. https://crossws.h3.dev/guide/hooks */
export interface WebSocketHooks {
  upgrade(request: Request): { headers: Headers; context: object };
  open(peer: RawPeer): void;
  message(peer: RawPeer, message: WebSocketMessage): void;
  close(peer: RawPeer, details: Partial<WebSocketClose>): void;
  error(peer: RawPeer, error: unknown): void;
}

/** The options of every adapter of crossws that fd3 sets. */
export interface AdapterOptions {
  readonly hooks: Partial<WebSocketHooks>;
  /** Topics are the server's: crossws itself has them apart for each path, but not on Bun. */
  getNamespace(): string;
}

/** Where an origin is in the context of a peer of crossws. */
const key: unique symbol = Symbol("fd3.webSocket");

/** A WebSocket from its request on. */
export class Accepted {
  readonly upgrade: Upgrade;
  readonly origin: Origin;
  #peer: Peer | undefined;

  constructor(upgrade: Upgrade, origin: Omit<Origin, "request" | "context">, request: Request) {
    this.upgrade = upgrade;
    const copy = new Request(request.url, { headers: request.headers });
    this.origin = { ...origin, request: copy, context: upgrade.context };
  }

  /** The peer of its handlers. */
  peerOf(raw: RawPeer): Peer {
    return this.#peer ??= new Peer(raw, this.origin);
  }

  /** That, if it was open. */
  get peer(): Peer | undefined {
    return this.#peer;
  }
}

/** The WebSockets of a server: the user's handlers as crossws calls them. None of them fails. */
export class WebSockets {
  readonly #handlers: WebSocketHandlers;
  readonly #report: Report;
  readonly #accepted: WeakMap<Request, Accepted> = new WeakMap();

  constructor(handlers: WebSocketHandlers, report: Report) {
    this.#handlers = handlers;
    this.#report = report;
  }

  /** For crossws. */
  readonly options: AdapterOptions = {
    getNamespace: () => "fd3",
    hooks: {
      upgrade: (request) => {
        const accepted = this.#accepted.get(request)!;
        return { headers: accepted.upgrade.headers, context: { [key]: accepted } };
      },
      open: (raw) => this.#call(peerOf(raw), "open"),
      message: (raw, message) => this.#call(peerOf(raw), "message", message),
      close: (raw, { code = 1005, reason = "" }) => this.closed(peerOf(raw), { code, reason }),
      error: (raw, error) => this.failed(peerOf(raw), error),
    },
  };

  /**
   * The answer to a request: the handler's response or, where that asks for it, what comes of the upgrade.
   *
   * @param answer What `EngineHandler.handle()` gave.
   * @param upgrade Makes a WebSocket of the request.
   */
  answer<T>(
    answer: Response | Promise<Response>,
    upgrade: (upgrade: Upgrade) => Promise<T>,
  ): Promise<Response | T> {
    const check = async (response: Response) => {
      try {
        const asked = takeUpgrade(response);
        return asked === undefined ? response : await upgrade(asked);
      } catch (error) {
        return this.#giveUp(error);
      }
    };
    return answer instanceof Promise ? answer.then(check) : check(answer);
  }

  #giveUp(error: unknown): Response {
    guard(() => this.#report(error), () => {});
    return new Response("Internal Server Error", { status: 500 });
  }

  /**
   * A request is to become a WebSocket: what crossws asks of it now is known.
   *
   * @param request What crossws will be given.
   */
  accept(request: Request, upgrade: Upgrade, origin: Omit<Origin, "request" | "context">): Accepted {
    const accepted = new Accepted(upgrade, origin, request);
    this.#accepted.set(request, accepted);
    return accepted;
  }

  /** It is closed. */
  closed(peer: Peer, details: WebSocketClose): void {
    this.#call(peer, "close", details);
  }

  /** The connection failed. */
  failed(peer: Peer, error: unknown): void {
    // Without a handler it is the client's matter, which may be of any number.
    if (this.#handlers.error !== undefined) this.#fail(peer, error);
  }

  #call(peer: Peer, name: "open" | "message" | "close", detail?: unknown): void {
    guard(() => (this.#handlers[name] as Handler)?.(peer, detail), (error) => this.#fail(peer, error));
  }

  #fail(peer: Peer, error: unknown): void {
    const report = (failure: unknown) => guard(() => this.#report(failure), () => {});
    if (this.#handlers.error === undefined) return report(error);
    guard(() => this.#handlers.error?.(peer, error), report);
  }
}

type Handler = ((peer: Peer, detail: unknown) => unknown) | undefined;

/** Calls what may fail, now or later. */
function guard(call: () => unknown, onFailure: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, onFailure);
  } catch (error) {
    onFailure(error);
  }
}

function peerOf(raw: RawPeer): Peer {
  return (raw.context as { [key]: Accepted })[key].peerOf(raw);
}
