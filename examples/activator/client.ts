import { connect, type Socket } from "node:net";
import process from "node:process";
import { say } from "./say.ts";

interface Writable {
  write(chunk: Uint8Array, callback: (error?: Error | null) => void): unknown;
}

/** Writes a chunk. Awaiting it keeps a fast reader from filling the memory in front of a slow writer. */
function write(to: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => to.write(chunk, (error) => error ? reject(error) : resolve()));
}

/** A client that carries bytes to a Unix socket, and what comes back to standard output. */
export class Client {
  readonly #path: string;
  #socket: Socket | undefined;
  #ending = false;
  /** Rejects if standard output is gone. */
  #echo: Promise<void> = Promise.resolve();

  /**
   * @param path Where to connect to.
   * @param stop Breaks the connection, so that foobard need not wait for its end.
   */
  constructor(path: string, stop: AbortSignal) {
    this.#path = path;
    stop.addEventListener("abort", () => {
      this.#ending = true;
      this.#socket?.destroy();
    });
  }

  /** Sends a chunk, over a new connection if there is none. */
  async send(chunk: Uint8Array): Promise<void> {
    if (this.#socket === undefined) {
      // A half-open connection lives on after our end, until the other side has said all.
      const socket = this.#socket = connect({ path: this.#path, allowHalfOpen: true });
      this.#echo = this.#carryBack(socket);
      // Until finish() asks, nobody looks at it, which alone is no error yet.
      this.#echo.catch(() => {});
    }
    try {
      await write(this.#socket, chunk);
    } catch {
      // #carryBack() learns it too, and tells.
    }
  }

  /** Ends our side, and waits for what still comes back. */
  async finish(): Promise<void> {
    this.#ending = true;
    this.#socket?.end();
    await this.#echo;
  }

  async #carryBack(socket: Socket): Promise<void> {
    let problem = "";
    // Kept apart from the reading: errors of standard output are not the connection's.
    const chunks = socket[Symbol.asyncIterator]();
    const next = () =>
      chunks.next().catch((error: Error) => {
        problem = `: ${error.message}`;
        return { done: true, value: undefined } as const;
      });
    for (let step = await next(); !step.done; step = await next()) await write(process.stdout, step.value);
    socket.destroy();
    this.#socket = undefined;
    if (!this.#ending) say(`The connection is gone${problem}. The next line makes a new one.`);
  }
}
