import { closedError } from "../../src/stream/connection.ts";
import { PushConnection, type PushTransport } from "../../src/stream/push_connection.ts";
import { systemError } from "../../src/system_error.ts";
import type { Address } from "../../src/types.ts";
import type { BunSocket, BunSocketHandlers } from "./types.ts";

interface PendingWrite {
  readonly rest: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class BunTransport implements PushTransport {
  readonly #socket: BunSocket;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  /** What the kernel has not taken yet, in order. */
  readonly #pending: PendingWrite[] = [];
  #endAfterPending = false;

  constructor(socket: BunSocket, listener: Address) {
    this.#socket = socket;
    const isTcp = listener.transport === "tcp";
    // Read now: once the connection is closed, Bun does not know them any more.
    this.localAddress = isTcp && socket.localAddress !== undefined
      ? { transport: "tcp", hostname: socket.localAddress, port: socket.localPort! }
      : listener;
    this.remoteAddress = isTcp
      ? { transport: "tcp", hostname: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 }
      : { transport: "unix", path: "" };
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    let rest = chunk;
    if (this.#pending.length === 0) {
      const taken = this.#socket.write(chunk);
      if (taken === chunk.byteLength) return undefined;
      if (taken < 0) throw systemError("write to the connection", { code: "EPIPE" });
      rest = chunk.subarray(taken);
    }
    return new Promise((resolve, reject) => this.#pending.push({ rest, resolve, reject }));
  }

  /** Bun says that the kernel takes more. */
  drain(): void {
    let first: PendingWrite | undefined;
    while ((first = this.#pending[0]) !== undefined) {
      const taken = this.#socket.write(first.rest);
      // A closed socket comes to fail() by itself.
      if (taken < 0) return;
      if (taken < first.rest.byteLength) {
        this.#pending[0] = { ...first, rest: first.rest.subarray(taken) };
        return;
      }
      this.#pending.shift();
      first.resolve();
    }
    if (this.#endAfterPending) this.#socket.shutdown();
  }

  /** Nothing more can be written. */
  fail(error: unknown): void {
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#pending.length === 0) this.#socket.shutdown();
    else this.#endAfterPending = true;
  }

  close(): void {
    this.fail(closedError("write to the connection"));
    this.#socket.close();
  }
}

interface Ends {
  readonly connection: PushConnection;
  readonly transport: BunTransport;
}

const ends = (socket: BunSocket) => socket.data as Ends;

/** What the owner of the connections wants to know. */
export interface ConnectionEvents {
  opened(connection: PushConnection): void;
  closed(): void;
}

/**
 * The handlers for `Bun.listen()`, made once for all of its sockets.
 *
 * @param address Where the listener is; asked only once there is a connection.
 * @param events Whom to tell.
 */
export function socketHandlers(address: () => Address, events: ConnectionEvents): BunSocketHandlers {
  return {
    binaryType: "uint8array",
    open(socket) {
      const transport = new BunTransport(socket, address());
      const connection = new PushConnection(transport);
      socket.data = { connection, transport } satisfies Ends;
      events.opened(connection);
    },
    data: (socket, chunk) => ends(socket).connection.feed(chunk),
    end: (socket) => ends(socket).connection.feedEnd(),
    drain: (socket) => ends(socket).transport.drain(),
    close(socket, error) {
      const { connection, transport } = ends(socket);
      transport.fail(systemError("write to the connection", error ?? { code: "EPIPE" }));
      connection.feedClose(error ? systemError("read from the connection", error) : undefined);
      events.closed();
    },
    // A callback of ours threw, which none does; without this handler Bun would end the process.
    error: (socket) => socket.close(),
  };
}
