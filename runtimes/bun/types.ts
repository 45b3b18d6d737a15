/**
 * The parts of the `Bun` namespace that fd3 uses, in shapes of our own: nobody needs Bun's types to use what fd3 declares.
 * https://bun.com/reference/bun/TCPSocket
 */

/** `Bun.Socket`. */
export interface BunSocket {
  /** Whatever its owner keeps with it. */
  data: unknown;
  /** The peer's IP address. */
  readonly remoteAddress?: string;
  /** The peer's port. */
  readonly remotePort?: number;
  /** Our IP address. */
  readonly localAddress?: string;
  /** Our port. */
  readonly localPort?: number;
  /** Gives how many bytes the kernel took; -1 if the socket is closed. */
  write(chunk: Uint8Array): number;
  /** Stops reading. */
  pause(): void;
  /** Starts reading again. */
  resume(): void;
  /** Sends our end. */
  shutdown(): void;
  /** Closes both sides now. */
  close(): void;
}

/** `Bun.SocketHandler`: any of them may be left out. */
export interface BunSocketHandlers {
  /** A connection was accepted. */
  open?(socket: BunSocket): void;
  /** Something arrived. */
  data?(socket: BunSocket, chunk: Uint8Array): void;
  /** The peer sent its end. */
  end?(socket: BunSocket): void;
  /** The kernel takes more. */
  drain?(socket: BunSocket): void;
  /** A handler threw. */
  error?(socket: BunSocket, error: Error): void;
  /** The connection is closed. */
  close?(socket: BunSocket, error?: Error): void;
  /** What chunks arrive as; `"buffer"` by default. */
  readonly binaryType?: string;
}

/** `Bun.TCPSocketListener` or `Bun.UnixSocketListener`: what `listenNative()` gives is one, with all of its other members. */
export interface BunListener {
  /** The descriptor; only Bun from 1.4 tells it. */
  readonly fd?: number;
  /** The port of a TCP listener. */
  readonly port?: number;
  /** The IP address of a TCP listener. */
  readonly hostname?: string;
  /** The path of a Unix listener. */
  readonly unix?: string;
  /** Stops accepting, and with `true` closes the connections. */
  stop(closeActiveConnections?: boolean): void;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
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
