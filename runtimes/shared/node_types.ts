/**
 * The parts of Node's modules that fd3 uses, so that nobody's types of Node, Deno or Bun appear in what fd3 declares.
 * https://nodejs.org/api/net.html
 */
import type { Handler, NetServer } from "../../src/attach/types.ts";

export type { NetAddress, NetServer } from "../../src/attach/types.ts";

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
