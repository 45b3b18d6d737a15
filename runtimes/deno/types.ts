/**
 * The parts of the `Deno` namespace that fd3 uses, in shapes of our own: nobody needs Deno's types to use what fd3 declares.
 * https://docs.deno.com/api/deno/
 */

/** `Deno.Addr`. */
export interface DenoAddress {
  /** `"tcp"` or `"unix"`. */
  readonly transport: string;
  /** The IP address. */
  readonly hostname?: string;
  /** The port. */
  readonly port?: number;
  /** The path of a Unix socket. */
  readonly path?: string | null;
}

/** `Deno.Conn`. */
export interface DenoConn {
  /** Our end. */
  readonly localAddr: DenoAddress;
  /** The peer's end. */
  readonly remoteAddr: DenoAddress;
  /** Gives how many bytes were read, or `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Gives how many bytes the kernel took. */
  write(chunk: Uint8Array): Promise<number>;
  /** Sends our end. */
  closeWrite(): Promise<void>;
  /** Closes both sides now. */
  close(): void;
}

/** `Deno.Listener`: what `listenNative()` gives is one, with all of its other members. */
export interface DenoListener extends AsyncIterable<DenoConn> {
  /** Where it really listens. */
  readonly addr: DenoAddress;
  /** The next connection. */
  accept(): Promise<DenoConn>;
  /** Stops accepting. */
  close(): void;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** `Deno.HttpServer`: what `serveNative()` gives is one. */
export interface DenoHttpServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly addr: DenoAddress;
  /** Settles when the server has ended. */
  readonly finished: Promise<void>;
  /** Stops accepting, answers the requests that run, and ends. */
  shutdown(): Promise<void>;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
}

/** `Deno.ServeHandlerInfo`. */
export interface DenoServeInfo {
  /** The client's end; on a Unix socket Deno gives the server's. */
  readonly remoteAddr: DenoAddress;
  /** Settles when the response is sent; rejects if that failed. */
  readonly completed: Promise<void>;
}

/** `Deno.ServeHandler`. */
export type DenoServeHandler = (request: Request, info: DenoServeInfo) => Response | Promise<Response>;

/** What `Deno.permissions` is asked for. */
export interface Permission {
  readonly name: "env" | "ffi" | "net" | "read" | "run" | "sys" | "write";
  readonly path?: string;
  readonly host?: string;
  readonly command?: string;
  readonly kind?: string;
  readonly variable?: string;
}

/** The functions that `Deno.dlopen()` shall link, each with a struct as its result. */
export type DenoSymbols = Record<string, { parameters: string[]; result: { struct: string[] } }>;

/** `Deno`. */
export interface DenoNamespace {
  readonly pid: number;
  readonly ppid: number;
  uid(): number | null;
  readonly args: readonly string[];
  readonly build: { readonly arch: string };
  readonly env: { get(name: string): string | undefined; delete(name: string): void };
  readonly permissions: { querySync(permission: Permission): { state: string } };
  readonly stderr: { writeSync(bytes: Uint8Array): number };
  readonly Command: new (program: string, options: object) => {
    output(): Promise<{ readonly code: number; readonly stderr: Uint8Array }>;
  };
  listen(options: object): DenoListener;
  serve(options: object, handler: DenoServeHandler): DenoHttpServer;
  /** Only with --unstable-net. */
  listenDatagram?(options: object): {
    send(payload: Uint8Array, address: DenoAddress): Promise<number>;
    close(): void;
  };
  openSync(path: string): { close(): void };
  lstatSync(path: string): unknown;
  readFileSync(path: string): Uint8Array;
  osUptime(): number;
  unrefTimer(timer: unknown): void;
  /** With such results each function gives the bytes of its struct. */
  dlopen(path: string, symbols: DenoSymbols): { symbols: Record<string, (...args: unknown[]) => Uint8Array> };
  addSignalListener(signal: string, listener: () => void): void;
  removeSignalListener(signal: string, listener: () => void): void;
  refTimer(timer: unknown): void;
  exit(status: number): never;
}

/** The global `Deno`. */
export function deno(): DenoNamespace {
  return (globalThis as unknown as { Deno: DenoNamespace }).Deno;
}

/** Whether Deno has a permission. Nothing prompts. */
export function isGranted(permission: Permission): boolean {
  return deno().permissions.querySync(permission).state === "granted";
}
