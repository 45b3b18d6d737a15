import type { Engine, OpenPart } from "../../src/http/engine.ts";
import type { Address } from "../../src/types.ts";
import type { NetServer, NetSocket } from "./node_types.ts";

/** How a server of Node's modules listens. */
export interface NetListening {
  readonly address: Address;
  /** Stops accepting, and touches no connection. Calling it again does nothing. */
  stop(): void;
  /** What is left to close once no connection is. */
  end(): void;
}

/** A server that keeps the process alive, or does not. */
type Alive = NetServer & { ref(): unknown; unref(): unknown };

/** The connections of a server of node:net or node:tls: all that is known of them is that they are open, so each is in flight until it ends. */
export class NetEngine implements Engine {
  readonly name: string = "node-net";
  readonly address: Address;
  readonly finished: Promise<void>;
  protected readonly sockets: Set<NetSocket> = new Set();
  readonly #server: Alive;
  readonly #listening: NetListening;
  #accepted = 0;

  constructor(server: NetServer, listening: NetListening) {
    this.#server = server as Alive;
    this.#listening = listening;
    this.address = listening.address;
    // A failed accept is no end: without a listener it would be an uncaught error.
    server.on("error", () => {});
    server.on("connection", (socket: NetSocket) => {
      this.#accepted++;
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    this.finished = new Promise((resolve) => server.once("close", resolve));
  }

  stopAccepting(): void {
    this.#listening.stop();
  }

  inFlight(): number {
    return this.sockets.size;
  }

  streams(): number {
    return 0;
  }

  connections(): number {
    return this.sockets.size;
  }

  unread(): number {
    return 0;
  }

  handled(): number {
    return this.#accepted;
  }

  open(): OpenPart[] {
    return [...this.sockets].map(() => ({ is: "connection", name: undefined }));
  }

  abortStreams(): void {}

  endStreams(): void {}

  closeIdle(): void {}

  async close(): Promise<void> {
    this.stopAccepting();
    this.#listening.end();
    await this.finished;
  }

  abort(): void {
    this.stopAccepting();
    for (const socket of this.sockets) socket.destroy();
    this.#listening.end();
  }

  ref(): void {
    this.#server.ref();
  }

  unref(): void {
    this.#server.unref();
  }
}

/** A server that hands its connections to another, which counts what is in flight on them. */
export class FeedEngine extends NetEngine {
  override inFlight(): number {
    return 0;
  }

  override handled(): number {
    return 0;
  }

  override open(): OpenPart[] {
    return [];
  }
}
