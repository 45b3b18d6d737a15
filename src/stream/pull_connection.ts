import type { Fd3Error } from "../errors.ts";
import { systemError } from "../system_error.ts";
import type { Address } from "../types.ts";
import { BaseConnection, checkBuffer, checkChunk, closedError } from "./connection.ts";

/** A socket of a runtime that we ask for what arrives (Deno.Conn). */
export interface PullTransport {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  read(buffer: Uint8Array): Promise<number | null>;
  /** Gives how much of the chunk the kernel took. */
  write(chunk: Uint8Array): Promise<number>;
  /** Sends our end. */
  closeWrite(): Promise<void>;
  /** Closes both sides now; pending calls fail. */
  close(): void;
}

/** As much as a read can bring: what Deno's own stream readers ask for. */
const chunkSize = 65536;
/** What is allocated at once for several large chunks: one by one they would cost half of the throughput. */
const bulkSize = 4 * chunkSize;

/** A connection over a {@linkcode PullTransport}. Nothing is read before somebody asks. */
export class PullConnection extends BaseConnection {
  readonly #transport: PullTransport;
  #reading = false;
  #inForEach = false;
  #peerEnded = false;
  #weEnded = false;
  /** Our end was sent, behind all that was written before. */
  #endSent = false;
  #isClosed = false;
  #error: Fd3Error | undefined;
  #writeError: Fd3Error | undefined;
  /** Where the next chunk goes. */
  #free: Uint8Array = new Uint8Array(0);
  /** Whether the last chunk was a large one. */
  #isBulk = false;
  #closingWrite: Promise<void> | undefined;
  #writing = false;
  /** Who waits for the write before, in order. */
  readonly #turns: (() => void)[] = [];

  constructor(transport: PullTransport) {
    super(transport);
    this.#transport = transport;
  }

  #failRead(cause: unknown): Fd3Error {
    if (this.#error === undefined) {
      this.#error = systemError("read from the connection", cause);
      void this.close();
    }
    return this.#error;
  }

  /** What was received before the peer went away can still be read. */
  #failWrite(cause: unknown): Fd3Error {
    if (this.#isClosed) return this.#error ?? closedError("write to the connection");
    this.#writeError ??= systemError("write to the connection", cause);
    this.#weEnded = true;
    this.#endSent = true;
    if (this.#peerEnded) void this.close();
    return this.#writeError;
  }

  #checkReader(): void {
    if (!this.#reading && !this.#inForEach) return;
    throw new TypeError("Cannot read: another reader of this connection is waiting");
  }

  override read(buffer: Uint8Array): Promise<number | null> {
    try {
      checkBuffer(buffer);
      this.#checkReader();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#read(buffer);
  }

  async #read(buffer: Uint8Array): Promise<number | null> {
    if (this.#error !== undefined) throw this.#error;
    if (this.#peerEnded || this.#isClosed) return null;
    this.#reading = true;
    try {
      const n = await this.#transport.read(buffer);
      // The kernel tells of a reset once; where a write was told, a read finds what looks like the end.
      if (n === null && this.#writeError?.code === "ECONNRESET") throw this.#writeError.cause;
      if (n === null) this.#endOfPeer();
      return n;
    } catch (error) {
      if (this.#isClosed && this.#error === undefined) return null;
      throw this.#failRead(error);
    } finally {
      this.#reading = false;
    }
  }

  #endOfPeer(): void {
    this.#peerEnded = true;
    if (this.#endSent) void this.close();
  }

  protected override async next(): Promise<Uint8Array | undefined> {
    this.#checkReader();
    if (this.#free.byteLength < chunkSize) this.#free = new Uint8Array(this.#isBulk ? bulkSize : chunkSize);
    const n = await this.#read(this.#free.subarray(0, chunkSize));
    if (n === null) return undefined;
    this.#isBulk = n >= chunkSize / 4;
    // A small message must not hold a large buffer, nor cost one.
    if (!this.#isBulk) return this.#free.slice(0, n);
    const chunk = this.#free.subarray(0, n);
    this.#free = this.#free.subarray(n);
    return chunk;
  }

  override async forEach(callback: (chunk: Uint8Array) => void | Promise<void>): Promise<void> {
    this.#checkReader();
    this.#inForEach = true;
    try {
      const buffer = new Uint8Array(chunkSize);
      let n: number | null;
      while ((n = await this.#read(buffer)) !== null) {
        const result = callback(buffer.subarray(0, n));
        if (result !== undefined) await result;
      }
    } finally {
      this.#inForEach = false;
    }
  }

  override write(chunk: Uint8Array): Promise<void> {
    try {
      checkChunk(chunk);
      if (this.#writeError !== undefined) throw this.#writeError;
      if (this.#error !== undefined) throw systemError("write to the connection", this.#error.cause);
      if (this.#weEnded || this.#isClosed) throw closedError("write to the connection");
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#writeAll(chunk);
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    if (this.#writing) await this.#turn();
    this.#writing = true;
    try {
      for (let at = 0; at < chunk.byteLength;) {
        at += await this.#transport.write(at === 0 ? chunk : chunk.subarray(at));
      }
    } catch (error) {
      throw this.#failWrite(error);
    } finally {
      const next = this.#turns.shift();
      // Handed over, not given up: a write that came in between would overtake it.
      if (next === undefined) this.#writing = false;
      else next();
    }
  }

  /** Deno writes as much as fits, so two writes at once would mix: each waits for the one before. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#turns.push(resolve));
  }

  override closeWrite(): Promise<void> {
    return this.#closingWrite ??= this.#sendEnd();
  }

  async #sendEnd(): Promise<void> {
    this.#weEnded = true;
    if (this.#writing) await this.#turn();
    if (this.#isClosed) return;
    // A peer that is gone already has nothing to be told.
    await this.#transport.closeWrite().catch(() => {});
    this.#endSent = true;
    if (this.#peerEnded) await this.close();
  }

  override close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#weEnded = true;
      this.#transport.close();
      this.settleClosed();
    }
    return this.closed;
  }
}
