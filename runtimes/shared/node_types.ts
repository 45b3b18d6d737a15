/**
 * The parts of Node's modules that fd3 uses, so that nobody's types of Node, Deno or Bun appear in what fd3 declares.
 * https://nodejs.org/api/net.html
 */

/** Any function, as Node's own types have it. */
// deno-lint-ignore no-explicit-any
export type Handler = (...args: any[]) => void;

/** `server.address()` of node:net. */
export interface NetAddress {
  /** The IP address. */
  address: string;
  /** The port. */
  port: number;
}

/** `net.Socket`. */
export interface NetSocket {
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly writableLength: number;
  readonly errored?: unknown;
  readonly destroyed: boolean;
  on(event: string, listener: Handler): unknown;
  once(event: string, listener: Handler): unknown;
  write(chunk: Uint8Array, callback?: (error?: Error | null) => void): boolean;
  pause(): unknown;
  resume(): unknown;
  end(): unknown;
  destroy(): unknown;
}

/** What fd3 needs of a server to make it listen: every net, http, https, http2 and tls server has it. */
export interface NetServer {
  /** Whether it listens already. */
  readonly listening: boolean;
  /** Starts listening. */
  listen(options: object, backlog?: number, callback?: () => void): unknown;
  /** Stops accepting. */
  close(callback?: (error?: Error) => void): unknown;
  /** Where it listens. */
  address(): NetAddress | string | null;
  /** Adds a listener for an event. */
  on(event: string, listener: Handler): unknown;
  /** Adds a listener for one event. */
  once(event: string, listener: Handler): unknown;
  /** Takes a listener away. */
  off(event: string, listener: Handler): unknown;
}

/** `node:net`. */
export interface NetModule {
  createServer(options: object, listener: (socket: NetSocket) => void): NetServer;
  connect(path: string): NetSocket;
}

interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  isSocket(): boolean;
}

/** `node:fs`. */
export interface FsModule {
  readonly constants: { readonly O_NOFOLLOW: number; readonly W_OK: number };
  accessSync(path: string, mode: number): void;
  lstatSync(path: string, options: { bigint: true; throwIfNoEntry: false }): Stats | undefined;
  openSync(path: string, flags: "r" | number): number;
  closeSync(fd: number): void;
  fstatSync(fd: number): { isSocket(): boolean };
  readFileSync(path: string, encoding: "utf8"): string;
  readlinkSync(path: string): string;
  readdirSync(path: string): string[];
  linkSync(from: string, to: string): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  chmodSync(path: string, mode: number): void;
  chownSync(path: string, uid: number, gid: number): void;
}

/** `node:dns`. */
export interface DnsModule {
  readonly promises: { lookup(hostname: string): Promise<unknown> };
}
