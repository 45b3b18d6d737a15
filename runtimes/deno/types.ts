/**
 * The parts of the `Deno` namespace that fd3 uses, in shapes of our own: nobody needs Deno's types to use what fd3 declares.
 * https://docs.deno.com/api/deno/
 */

/** `Deno.Addr`. */
export interface DenoAddress {
  readonly transport: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string | null;
}

/** `Deno.Conn`. */
export interface DenoConn {
  readonly localAddr: DenoAddress;
  readonly remoteAddr: DenoAddress;
  read(buffer: Uint8Array): Promise<number | null>;
  write(chunk: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** `Deno.Listener`: what `listenNative()` gives is one, with all of its other members. */
export interface DenoListener extends AsyncIterable<DenoConn> {
  readonly addr: DenoAddress;
  accept(): Promise<DenoConn>;
  close(): void;
  ref(): void;
  unref(): void;
}

/** What `Deno.permissions` is asked for. */
export type Permission = { name: "ffi" | "net"; path?: string; host?: string };

/** `Deno`. */
export interface DenoNamespace {
  readonly pid: number;
  readonly ppid: number;
  readonly args: readonly string[];
  readonly build: { readonly arch: string };
  readonly env: { get(name: string): string | undefined; delete(name: string): void };
  readonly permissions: { querySync(permission: Permission): { state: string } };
  readonly UnsafePointerView: new (pointer: unknown) => { getInt32(): number };
  listen(options: object): DenoListener;
  dlopen(
    path: string,
    symbols: Record<string, { parameters: string[]; result: string }>,
  ): { symbols: Record<string, (...args: unknown[]) => unknown> };
  addSignalListener(signal: string, listener: () => void): void;
  removeSignalListener(signal: string, listener: () => void): void;
  exit(status: number): never;
}

/** The global `Deno`. */
export function deno(): DenoNamespace {
  return (globalThis as unknown as { Deno: DenoNamespace }).Deno;
}
