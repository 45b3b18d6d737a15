import { isThenable, type Report } from "./exchanges.ts";
import { Topics } from "./topics.ts";
import { isUpgrade, takeUpgrade, type Upgrade, upgradeResponse } from "./upgrade.ts";
import { type Origin, Peer, type RawPeer } from "./web_socket_peer.ts";
import type { UpgradeOptions, WebSocketClose, WebSocketHandlers, WebSocketMessage } from "./web_socket_types.ts";

/** What crossws calls. https://crossws.h3.dev/guide/hooks */
interface WebSocketHooks {
  upgrade(request: Request): { headers: Headers; context: object };
  open(peer: RawPeer): void;
  message(peer: RawPeer, message: WebSocketMessage): void;
  close(peer: RawPeer, details: Partial<WebSocketClose>): void;
  error(peer: RawPeer, error: unknown): void;
}

/** The options of every adapter of crossws that fd3 sets. */
export interface AdapterOptions {
  readonly hooks: Partial<WebSocketHooks>;
  /** By what crossws tells topics apart: nothing, as they are not its. */
  getNamespace(): string;
}

/** Where this is in the context of a peer of crossws. */
const key: unique symbol = Symbol("fd3.webSocket");

/** A request that becomes a WebSocket. */
export interface Accepted {
  /** Set once it is open. */
  peer?: Peer;
}

/** That, and what is known of it. */
interface Known extends Accepted {
  readonly headers: Headers;
  readonly origin: Origin;
}

type Handler = ((peer: Peer, detail?: unknown) => unknown) | undefined;

/** Calls what may fail, now or later; never fails. */
function guard(call: () => unknown, onFailure: (error: unknown) => void): unknown {
  try {
    const result = call();
    return isThenable(result) ? result.then(undefined, onFailure) : undefined;
  } catch (error) {
    return onFailure(error);
  }
}

/** The WebSockets of a server: the user's handlers, as crossws calls them. */
export class WebSockets {
  readonly #handlers: WebSocketHandlers;
  readonly #report: Report;
  readonly #topics: Topics<Peer> = new Topics();
  readonly #accepted: WeakMap<Request, Known> = new WeakMap();
  /** Those whose end was not told yet. */
  readonly #open: Set<Peer> = new Set();
  #onEnded: () => void = () => {};

  constructor(handlers: WebSocketHandlers, report: (error: unknown) => void) {
    this.#handlers = handlers;
    this.#report = report;
  }

  /** For crossws. */
  readonly options: AdapterOptions = {
    getNamespace: () => "fd3",
    hooks: {
      upgrade: (request) => {
        const known = this.#accepted.get(request)!;
        return { headers: known.headers, context: { [key]: known } };
      },
      open: (raw) => void this.#call("open", this.#peerOf(raw)),
      message: (raw, message) => void this.#call("message", this.#peerOf(raw), message),
      close: (raw, { code = 1005, reason = "" }) => this.closed(this.#peerOf(raw), { code, reason }),
      error: (raw, error) => this.failed(this.#peerOf(raw), error),
    },
  };

  #peerOf(raw: RawPeer): Peer {
    const known = (raw.context as { [key]: Known })[key];
    if (known.peer === undefined) {
      known.peer = new Peer(raw, known.origin, this.#topics);
      this.#open.add(known.peer);
    }
    return known.peer;
  }

  /** See {@linkcode ServeInfo.upgrade}. */
  response(request: Request, options?: UpgradeOptions): Response {
    return upgradeResponse(request, options);
  }

  /**
   * The answer to a request: the handler's response or, where that asks for it, what comes of the upgrade.
   *
   * @param answer What `EngineHandler.handle()` gave.
   * @param upgrade Makes a WebSocket of the request.
   */
  answer<T>(
    answer: Response | Promise<Response>,
    upgrade: (upgrade: Upgrade) => Promise<T>,
  ): Response | Promise<Response | T> {
    const check = (response: Response) => isUpgrade(response) ? this.#upgraded(response, upgrade) : response;
    return answer instanceof Promise ? answer.then(check) : check(answer);
  }

  async #upgraded<T>(response: Response, upgrade: (upgrade: Upgrade) => Promise<T>): Promise<Response | T> {
    try {
      return await upgrade(takeUpgrade(response));
    } catch (error) {
      guard(() => this.#report(error), () => {});
      return new Response("Internal Server Error", { status: 500 });
    }
  }

  /**
   * A request is to become a WebSocket: what crossws asks of it now is known.
   *
   * @param request What crossws will be given.
   */
  accept(
    request: Request,
    { headers, context }: Upgrade,
    origin: Pick<Origin, "remoteAddress" | "terminate">,
  ): Accepted {
    const copy = new Request(request.url, { headers: request.headers });
    const known: Known = { headers, origin: { ...origin, request: copy, context } };
    this.#accepted.set(request, known);
    return known;
  }

  /** It is closed. */
  closed(peer: Peer, details: WebSocketClose): void {
    this.#topics.forget(peer);
    const told = this.#call("close", peer, details);
    void Promise.resolve(told).then(() => {
      this.#open.delete(peer);
      if (this.#open.size === 0) this.#onEnded();
    });
  }

  /** The connection failed. Without a handler that is the client's matter, and there may be many. */
  failed(peer: Peer, error: unknown): void {
    if (this.#handlers.error !== undefined) this.#fail(peer, error);
  }

  /** Settles when the end of each was told to its handler, and what that does is done. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEnded = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  #call(name: "open" | "message" | "close", peer: Peer, detail?: unknown): unknown {
    const call = () => (this.#handlers[name] as Handler)?.(peer, detail);
    return guard(call, (error) => this.#fail(peer, error));
  }

  #fail(peer: Peer, error: unknown): unknown {
    const report = (failure: unknown) => guard(() => this.#report(failure), () => {});
    if (this.#handlers.error === undefined) return report(error);
    return guard(() => this.#handlers.error?.(peer, error), report);
  }
}
