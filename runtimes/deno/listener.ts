import type { FallbackAddress } from "../../src/activation/address.ts";
import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import { PullConnection, type PullTransport } from "../../src/stream/pull_connection.ts";
import { BaseListener, type ListenerParts } from "../../src/stream/listener.ts";
import type { Address, Connection, FileAccess, Listener } from "../../src/types.ts";
import { isOfClient } from "./accept.ts";
import { fromDeno } from "./address.ts";
import { denoHost as host, setUpSignals } from "./host.ts";
import { adoptNative } from "./native.ts";
import type { DenoConn, DenoListener } from "./types.ts";

/** How long to wait for a free descriptor before accepting again. */
const retryMs = 100;

class DenoTransport implements PullTransport {
  readonly #conn: DenoConn;
  readonly #listener: Address;

  constructor(conn: DenoConn, listener: Address) {
    this.#conn = conn;
    this.#listener = listener;
  }

  get localAddress(): Address {
    // The local address of an accepted Unix socket is its listener's; Deno would name the placeholder.
    return this.#listener.transport === "tcp" ? fromDeno(this.#conn.localAddr) : this.#listener;
  }

  get remoteAddress(): Address {
    return fromDeno(this.#conn.remoteAddr);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  write(chunk: Uint8Array): Promise<number> {
    return this.#conn.write(chunk);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#conn.close();
  }
}

/** A Deno.Listener as a {@linkcode Listener}. It accepts only when somebody asks for the next connection. */
export class DenoStreamListener extends BaseListener {
  readonly #native: DenoListener;
  #accepted = 0;
  #hasSignals = false;

  constructor(native: DenoListener, parts: ListenerParts) {
    super(parts);
    this.#native = native;
  }

  protected override async next(): Promise<Connection | undefined> {
    const conn = await this.#accept();
    if (conn === undefined) return undefined;
    // Not on the way to the first answer.
    if (++this.#accepted >= 2 && !this.#hasSignals) this.#hasSignals = setUpSignals();
    return new PullConnection(new DenoTransport(conn, this.address));
  }

  async #accept(): Promise<DenoConn | undefined> {
    while (!this.isClosed) {
      try {
        return await this.#native.accept();
      } catch (error) {
        if (this.isClosed || (error as Error).name === "BadResource") return undefined;
        // A client that reset its connection is out of the queue, so this does not spin.
        if (isOfClient(error)) continue;
        // Without a free descriptor accept(2) fails, and the client stays in the queue: it is asked again when there may be one.
        // A listener that cannot accept any more is BadResource.
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
    return undefined;
  }
}

/** A stream listener on an inherited descriptor. */
export function adoptDeno(choice: Choice): Listener | Promise<Listener> {
  const { name } = choice;
  try {
    const { native, address } = adoptNative(choice);
    return new DenoStreamListener(native, { address, activated: true, name, stop: () => native.close() });
  } catch (error) {
    if (!(error instanceof Fd3Error) || error.code === "ERR_FD3_PLATFORM") throw error;
    // Without FFI it is a choice.
    if (hasLibc(host.libc())) host.warn(`listens with node:net, which is slower than Deno.listen: ${error.message}`);
    // The portable way needs no permission at all, but node:net, which takes as long to load as Deno to start.
    return import("./portable.late.ts").then(({ adoptPortably }) => adoptPortably(choice));
  }
}

/** Opens an address with Deno.listen(). */
export async function openDeno(fallback: FallbackAddress, access: FileAccess): Promise<Listener> {
  const { openNative } = await import("./fallback.late.ts");
  const native = await openNative(fallback, access);
  const address = fallback.transport === "unix" ? fallback : fromDeno(native.addr);
  return new DenoStreamListener(native, { address, activated: false, name: undefined, stop: () => native.close() });
}
