// The load: connections that send a message and wait until all of it is back, in bursts.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";

const connections = 50;

/** Connections to one server, kept open between bursts. */
export class Load {
  readonly #sockets: Socket[];
  readonly #message: Buffer;
  #answered = 0;
  #running = 0;
  #deadline = 0;
  #finish: () => void = () => {};

  private constructor(sockets: Socket[], message: Buffer) {
    this.#sockets = sockets;
    this.#message = message;
    for (const socket of sockets) this.#attend(socket);
  }

  /** Connects to a server. */
  static async open(path: string, size: number): Promise<Load> {
    const message = Buffer.alloc(size, "fd3 ");
    const sockets = await Promise.all(Array.from({ length: connections }, () => connected(path)));
    return new Load(sockets, message);
  }

  #attend(socket: Socket): void {
    let missing = this.#message.length;
    socket.on("data", (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing > 0) return;
      // Equal work before any figure counts: not a byte more or less comes back than was sent.
      assert.equal(missing, 0);
      missing = this.#message.length;
      this.#answered++;
      if (performance.now() < this.#deadline) socket.write(this.#message);
      else if (--this.#running === 0) this.#finish();
    });
  }

  /** Sends for so long; gives the messages per second that came back. */
  async burst(ms: number): Promise<number> {
    this.#answered = 0;
    this.#running = this.#sockets.length;
    const begin = performance.now();
    this.#deadline = begin + ms;
    const finished = new Promise<void>((resolve) => this.#finish = resolve);
    for (const socket of this.#sockets) socket.write(this.#message);
    await finished;
    return this.#answered / (performance.now() - begin) * 1000;
  }

  /** Ends the connections. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

/** The middle of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
