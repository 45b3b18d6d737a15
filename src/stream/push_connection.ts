import type { Fd3Error } from "../errors.ts";
import { systemError } from "../system_error.ts";
import type { Address } from "../types.ts";
import { BaseConnection, checkBuffer, checkChunk, closedError, written } from "./connection.ts";

/** A socket of a runtime that calls us when something arrives (Bun, node:net). */
export interface PushTransport {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  /** Gives nothing if the kernel took the whole chunk at once, else a promise that settles when it has. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Stops reading: `feed()` is not called, apart from what is on its way. */
  pause(): void;
  /** Starts reading again. */
  resume(): void;
  /** Sends our end, after what was written. */
  end(): void;
  /** Closes both sides now. */
  close(): void;
}

interface Waiter {
  readonly resolve: (chunk: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Sink {
  readonly callback: (chunk: Uint8Array) => void | Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A connection over a {@linkcode PushTransport}. At most what the runtime delivers at once is held while nobody reads: the first chunk
 * that finds no reader stops the reading.
 */
export class PushConnection extends BaseConnection {
  readonly #transport: PushTransport;
  readonly #queue: Uint8Array[] = [];
  #paused = false;
  #peerEnded = false;
  #weEnded = false;
  #isClosed = false;
  #error: Fd3Error | undefined;
  /** Why nothing can be written any more, where it was not us who ended it. */
  #gone: unknown;
  #waiter: Waiter | undefined;
  #sink: Sink | undefined;
  #busy = false;
  /** Writes that have not settled. */
  #writes = 0;

  constructor(transport: PushTransport) {
    super(transport);
    this.#transport = transport;
  }

  /** The transport calls this with what arrived. */
  feed(chunk: Uint8Array): void {
    if (this.#sink !== undefined && !this.#busy && this.#queue.length === 0) return this.#give(this.#sink, chunk);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter !== undefined) return waiter.resolve(chunk);
    this.#queue.push(chunk);
    if (!this.#paused) {
      this.#paused = true;
      this.#transport.pause();
    }
  }

  /** The transport calls this when the peer sent its end. */
  feedEnd(): void {
    this.#peerEnded = true;
    this.#notice();
    this.#closeAtEnd();
  }

  /** The transport calls this when the socket is gone; without an error that we did not ask for, the peer was cut off. */
  feedClose(error?: Fd3Error): void {
    if (!this.#isClosed && !this.#weEnded) this.#gone = error?.cause ?? error ?? { code: "EPIPE" };
    if (!this.#isClosed && !this.#peerEnded && this.#error === undefined) this.#error = error;
    this.#isClosed = true;
    this.#peerEnded = true;
    this.#weEnded = true;
    this.#notice();
    this.settleClosed();
  }

  /** Tells whoever reads that there will be no more. */
  #notice(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter === undefined) {
      if (!this.#busy) this.#pump();
    } else if (this.#error === undefined) waiter.resolve(undefined);
    else waiter.reject(this.#error);
  }

  #give(sink: Sink, chunk: Uint8Array): void {
    let result: void | Promise<void>;
    try {
      result = sink.callback(chunk);
    } catch (error) {
      this.#sink = undefined;
      return sink.reject(error);
    }
    // JavaScript callbacks give anything, such as what push() gave.
    if (result === written || typeof (result as Promise<void> | undefined)?.then !== "function") return;
    this.#busy = true;
    (result as Promise<void>).then(() => {
      this.#busy = false;
      this.#pump();
    }, (error) => {
      this.#busy = false;
      this.#sink = undefined;
      sink.reject(error);
    });
  }

  /** Gives the waiting chunks to `forEach()`, then lets more come or ends it. */
  #pump(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    while (this.#queue.length > 0) {
      this.#give(sink, this.#queue.shift()!);
      if (this.#busy || this.#sink === undefined) return;
    }
    if (!this.#peerEnded) return this.#flow();
    this.#sink = undefined;
    if (this.#error === undefined) sink.resolve();
    else sink.reject(this.#error);
  }

  #flow(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#transport.resume();
  }

  #claimReader(): void {
    if (this.#sink === undefined && this.#waiter === undefined) return;
    throw new TypeError("Cannot read: another reader of this connection is waiting");
  }

  // Not an async function: each turn that a chunk waits costs throughput.
  protected override next(): Promise<Uint8Array | undefined> {
    try {
      this.#claimReader();
    } catch (error) {
      return Promise.reject(error);
    }
    const chunk = this.#queue.shift();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#peerEnded) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#flow();
    });
  }

  override async read(buffer: Uint8Array): Promise<number | null> {
    checkBuffer(buffer);
    const chunk = await this.next();
    if (chunk === undefined) return null;
    const n = Math.min(chunk.byteLength, buffer.byteLength);
    buffer.set(n === chunk.byteLength ? chunk : chunk.subarray(0, n));
    if (n < chunk.byteLength) this.#queue.unshift(chunk.subarray(n));
    return n;
  }

  override forEach(callback: (chunk: Uint8Array) => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#claimReader();
      this.#sink = { callback, resolve, reject };
      this.#pump();
    });
  }

  override write(chunk: Uint8Array): Promise<void> {
    try {
      checkChunk(chunk);
      if (this.#gone !== undefined) throw systemError("write to the connection", this.#gone);
      if (this.#weEnded) throw closedError("write to the connection");
      const pending = this.#transport.write(chunk);
      return pending === undefined ? written : this.#settle(pending);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #settle(pending: Promise<void>): Promise<void> {
    this.#writes++;
    try {
      await pending;
    } finally {
      this.#writes--;
      this.#closeAtEnd();
    }
  }

  override closeWrite(): Promise<void> {
    if (!this.#weEnded) {
      this.#weEnded = true;
      this.#transport.end();
      this.#closeAtEnd();
    }
    return written;
  }

  /** Once both ends are sent, nothing can come any more; what was written before is sent first. */
  #closeAtEnd(): void {
    if (this.#weEnded && this.#peerEnded && this.#writes === 0) this.#closeNow();
  }

  #closeNow(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#weEnded = true;
    this.#transport.close();
  }

  override close(): Promise<void> {
    if (!this.#isClosed) this.#queue.length = 0;
    this.#closeNow();
    return this.closed;
  }
}
