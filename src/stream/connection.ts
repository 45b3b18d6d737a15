import { Fd3Error } from "../errors.ts";
import type { Address, Connection } from "../types.ts";

/**
 * What `write()` gives when the kernel took everything at once. `forEach()` knows it and goes on without a turn of the event
 * loop, which is what makes an echo as fast as the runtime's own callbacks.
 */
export const written: Promise<void> = Promise.resolve();

/** The error of everything that comes too late. */
export function closedError(action: string): Fd3Error {
  return new Fd3Error("ERR_FD3_CLOSED", `Cannot ${action}: the connection is closed`);
}

/** What all connections have in common: web streams, iteration, and one reader at a time. */
export abstract class BaseConnection implements Connection {
  #readable: ReadableStream<Uint8Array> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;
  #settle: () => void = () => {};
  readonly closed: Promise<void> = new Promise((resolve) => this.#settle = resolve);

  readonly #ends: Pick<Connection, "localAddress" | "remoteAddress">;

  /** @param ends Whoever knows both addresses; asked each time. */
  constructor(ends: Pick<Connection, "localAddress" | "remoteAddress">) {
    this.#ends = ends;
  }

  get localAddress(): Address {
    return this.#ends.localAddress;
  }

  get remoteAddress(): Address {
    return this.#ends.remoteAddress;
  }

  abstract read(buffer: Uint8Array): Promise<number | null>;
  abstract write(chunk: Uint8Array): Promise<void>;
  abstract forEach(callback: (chunk: Uint8Array) => void | Promise<void>): Promise<void>;
  abstract closeWrite(): Promise<void>;
  abstract close(): Promise<void>;
  /** The next chunk, whose memory is the caller's; `undefined` at the end. */
  protected abstract next(): Promise<Uint8Array | undefined>;

  /** Settles {@linkcode closed}. */
  protected settleClosed(): void {
    this.#settle();
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= new ReadableStream({
      pull: async (controller) => {
        const chunk = await this.next();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: () => this.close(),
    }, { highWaterMark: 0 });
  }

  get writable(): WritableStream<Uint8Array> {
    const giveUp = (error: unknown) => {
      // Whoever pipes into this sees the error and no more, so nobody else would close it.
      void this.close();
      throw error;
    };
    return this.#writable ??= new WritableStream({
      // The stream's own abort() waits for the write under way, which a peer that does not read may keep for ever.
      start: ({ signal }) => signal.addEventListener("abort", () => void this.close(), { once: true }),
      write: (chunk) => {
        const sent = this.write(chunk);
        return sent === written ? sent : sent.catch(giveUp);
      },
      close: () => this.closeWrite(),
      abort: () => this.close(),
    });
  }

  // Not a generator, which takes two more turns for each chunk.
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    const iterator: AsyncIterableIterator<Uint8Array> = {
      next: async () => {
        const value = await this.next();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws {TypeError} If a buffer to read into can hold nothing, or is none. */
export function checkBuffer(buffer: Uint8Array): void {
  if (!(buffer instanceof Uint8Array)) throw new TypeError(`Cannot read: buffer is ${typeof buffer}, not a Uint8Array`);
  if (buffer.byteLength === 0) throw new TypeError("Cannot read: buffer has 0 bytes, at least 1 is needed");
}

/** @throws {TypeError} If what is to be written is not bytes. */
export function checkChunk(chunk: Uint8Array): void {
  if (!(chunk instanceof Uint8Array)) throw new TypeError(`Cannot write: chunk is ${typeof chunk}, not a Uint8Array`);
}
