import { closedError } from "../../src/stream/connection.ts";
import { PushConnection, type PushTransport } from "../../src/stream/push_connection.ts";
import { systemError } from "../../src/system_error.ts";
import type { Address } from "../../src/types.ts";
import type { NetSocket } from "./node_types.ts";

/**
 * One end of a connection.
 *
 * @param local Where it was accepted.
 * @param hostname What the runtime knows of this end.
 * @param port What the runtime knows of this end.
 */
export function socketAddress(local: Address, hostname: string | undefined, port: number | undefined): Address {
  if (local.transport !== "tcp") return { transport: "unix", path: "" };
  // A peer that reset its connection before it was accepted has no address any more.
  return { transport: "tcp", hostname: hostname ?? "", port: port ?? 0 };
}

/** What is said of a peer that is gone without a reason. */
const reset = { code: "ECONNRESET" };

class NetTransport implements PushTransport {
  readonly #socket: NetSocket;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  #waiting = new Set<(error: unknown) => void>();

  constructor(socket: NetSocket, listener: Address) {
    this.#socket = socket;
    // Read now: once the peer is gone, the runtime does not know them any more.
    this.localAddress = listener.transport === "tcp"
      ? socketAddress(listener, socket.localAddress, socket.localPort)
      : listener;
    this.remoteAddress = socketAddress(listener, socket.remoteAddress, socket.remotePort);
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    let settle: (error?: Error | null) => void = () => {};
    this.#socket.write(chunk, (error) => settle(error));
    // Node writes at once what the kernel takes; nothing left means that it has all of it, or that the write failed.
    const { writableLength, errored, destroyed } = this.#socket;
    if (writableLength === 0 && !errored && !destroyed) return undefined;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => reject(systemError("write to the connection", error));
      this.#waiting.add(fail);
      settle = (error) => {
        this.#waiting.delete(fail);
        const { errored, destroyed } = this.#socket;
        // Node 20 says that a write succeeded which was still waiting when the peer went away.
        if (error || destroyed) fail(error ?? errored ?? reset);
        else resolve();
      };
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
    this.fail(closedError("write to the connection"));
  }

  /** Nothing more can be written: Node 20 forgets the callback of a write that was waiting when the peer went away. */
  fail(error: Error): void {
    for (const fail of this.#waiting) fail(error);
    this.#waiting.clear();
  }
}

/**
 * A socket of node:net as a connection.
 *
 * @param socket The socket, of a server that allows half-open connections.
 * @param listener Where the server listens.
 */
export function netConnection(socket: NetSocket, listener: Address): PushConnection {
  const transport = new NetTransport(socket, listener);
  const connection = new PushConnection(transport);
  let failure: Error | undefined;
  socket.on("data", (chunk: Uint8Array) => connection.feed(chunk));
  socket.on("end", () => connection.feedEnd());
  // Without a listener an error would end the process; "close" always follows.
  socket.on("error", (error: Error) => failure = error);
  socket.on("close", () => {
    transport.fail(systemError("write to the connection", failure ?? { code: "EPIPE" }));
    connection.feedClose(systemError("read from the connection", failure ?? reset));
  });
  return connection;
}
