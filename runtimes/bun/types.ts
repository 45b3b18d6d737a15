/**
 * The parts of the `Bun` namespace that fd3 uses, in shapes of our own: nobody needs Bun's types to use what fd3 declares.
 * https://bun.com/reference/bun/TCPSocket
 */

/** `Bun.Socket`. */
export interface BunSocket {
  data: unknown;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localAddress?: string;
  readonly localPort?: number;
  /** Gives how many bytes the kernel took; -1 if the socket is closed. */
  write(chunk: Uint8Array): number;
  pause(): void;
  resume(): void;
  /** Sends our end. */
  shutdown(): void;
  close(): void;
}

/** `Bun.SocketHandler`: any of them may be left out. */
export interface BunSocketHandlers {
  open?(socket: BunSocket): void;
  data?(socket: BunSocket, chunk: Uint8Array): void;
  end?(socket: BunSocket): void;
  drain?(socket: BunSocket): void;
  error?(socket: BunSocket, error: Error): void;
  close?(socket: BunSocket, error?: Error): void;
  readonly binaryType?: string;
}

/** `Bun.TCPSocketListener` or `Bun.UnixSocketListener`: what `listenNative()` gives is one, with all of its other members. */
export interface BunListener {
  /** The descriptor; only Bun from 1.4 tells it. */
  readonly fd?: number;
  readonly port?: number;
  readonly hostname?: string;
  readonly unix?: string;
  stop(closeActiveConnections?: boolean): void;
  ref(): void;
  unref(): void;
}

/** `Bun`. */
export interface BunNamespace {
  listen(options: object): BunListener;
}

/** The global `Bun`. */
export function bun(): BunNamespace {
  return (globalThis as unknown as { Bun: BunNamespace }).Bun;
}
