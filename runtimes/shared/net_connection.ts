import { closedError } from "../../src/stream/connection.ts";
import { PushConnection, type PushTransport } from "../../src/stream/push_connection.ts";
import { systemError } from "../../src/system_error.ts";
import type { Address } from "../../src/types.ts";
import type { NetSocket } from "./node_types.ts";

function socketAddress(local: Address, hostname: string | undefined, port: number | undefined): Address {
  if (local.transport !== "tcp" || hostname === undefined) return { transport: "unix", path: "" };
  return { transport: "tcp", hostname, port: port ?? 0 };
}

class NetTransport implements PushTransport {
  readonly #socket: NetSocket;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  #waiting = new Set<(error: Error) => void>();

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
    // Node writes at once what the kernel takes; nothing left means that it has all of it.
    if (this.#socket.writableLength === 0) return undefined;
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(systemError("write to the connection", error));
      this.#waiting.add(fail);
      settle = (error) => {
        this.#waiting.delete(fail);
        if (error) fail(error);
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
    for (const fail of this.#waiting) fail(closedError("write to the connection"));
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
  const connection = new PushConnection(new NetTransport(socket, listener));
  let failure: Error | undefined;
  socket.on("data", (chunk: Uint8Array) => connection.feed(chunk));
  socket.on("end", () => connection.feedEnd());
  // Without a listener an error would end the process; "close" always follows.
  socket.on("error", (error: Error) => failure = error);
  socket.on("close", () => {
    connection.feedClose(systemError("read from the connection", failure ?? { code: "ECONNRESET" }));
  });
  return connection;
}
