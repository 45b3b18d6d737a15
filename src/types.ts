import type { HttpServer, ServeHandler, ServeOptions } from "./http/types.ts";

/** An Internet address. `hostname` is numeric; a link-local IPv6 address has its scope behind a `%`. */
export interface TcpAddress {
  /** Always `"tcp"`. */
  readonly transport: "tcp";
  /** An IPv4 or IPv6 address, without brackets. */
  readonly hostname: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** A Unix address. `path` begins with `@` for an abstract name, and is empty for an unnamed socket (unix(7)). */
export interface UnixAddress {
  /** Always `"unix"`. */
  readonly transport: "unix";
  /** `/path`, `@abstract`, or empty. */
  readonly path: string;
}

/** A vsock(7) address, between a virtual machine and its host. */
export interface VsockAddress {
  /** Always `"vsock"`. */
  readonly transport: "vsock";
  /** The machine; 4294967295 is any (VMADDR_CID_ANY). */
  readonly cid: number;
  /** 0 to 4294967295. */
  readonly port: number;
}

/** Where a socket is, or where its peer is. */
export type Address = TcpAddress | UnixAddress | VsockAddress;

/** One descriptor that the service manager passed. */
export interface ListenFd {
  /** Its number, from 3 (SD_LISTEN_FDS_START) upwards. */
  readonly fd: number;
  /** FileDescriptorName= of its unit, the unit's name if that is not set, or `"unknown"`. Not unique. */
  readonly name: string;
}

/** Options of {@linkcode Api.listenFds}. */
export interface ListenFdsOptions {
  /** Leaves LISTEN_PID, LISTEN_PIDFDID, LISTEN_FDS and LISTEN_FDNAMES in the environment, where children see them. */
  readonly keepEnv?: boolean;
}

/** Where a service listens when it was started without a socket: the grammar of ListenStream= or the same in parts. */
export type Fallback =
  | string
  | { readonly hostname?: string; readonly port: number }
  | { readonly path: string };

/** Options of {@linkcode Api.listen}. */
export interface ListenOptions extends ListenFdsOptions {
  /** Takes only a descriptor of this FileDescriptorName=. Without it, exactly one must fit. */
  readonly name?: string;
  /**
   * Where to listen when no descriptor was passed at all: `/path`, `@abstract`, `port` (all addresses, IPv6 and IPv4),
   * `host:port`, `[v6]:port`, `{ hostname, port }` or `{ path }`.
   */
  readonly fallback?: Fallback;
  /** Access mode of the socket file that `fallback` makes, such as `0o660`. Without it, the umask decides. */
  readonly mode?: number;
}

/**
 * A stream listener: one inherited socket, or one that was opened at the fallback address.
 *
 * Iterating it gives its connections. It ends when the listener is closed; connections that were accepted by then come first. Where
 * nobody iterates, they are closed. Bun and Node accept as clients come, Deno when the next connection is asked for.
 */
export interface Listener extends AsyncIterable<Connection>, AsyncDisposable {
  /** Where it really listens. */
  readonly address: Address;
  /** Whether the service manager passed it. */
  readonly activated: boolean;
  /** The name that the service manager gave it; `undefined` where it was opened here. */
  readonly name: string | undefined;
  /**
   * Stops accepting. What nobody has accepted stays in the queue of an inherited socket, for the next instance. Deletes the
   * socket file if this listener made it, never an inherited one. Connections live on. Calling it again does nothing.
   */
  close(): Promise<void>;
}

/**
 * A connection. It is half-open where the peer wants that: the end of what the peer sends ends the iteration, not our writing.
 * Read it by one of iteration, {@linkcode Connection.read}, {@linkcode Connection.forEach} or
 * {@linkcode Connection.readable}, not by two at once.
 */
export interface Connection extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** Our end. */
  readonly localAddress: Address;
  /** The peer's end; a Unix client is usually unnamed. */
  readonly remoteAddress: Address;
  /** Settles when the connection is closed on both sides, whatever the reason. Never rejects. */
  readonly closed: Promise<void>;
  /** What the peer sends, as a web stream. Made on first use. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the peer gets, as a web stream. Made on first use. */
  readonly writable: WritableStream<Uint8Array>;
  /**
   * Reads what there is, at least one byte and at most `buffer.byteLength`.
   *
   * @throws {Fd3Error} `ECONNRESET` if the peer broke the connection.
   * @returns How many bytes were read, or `null` at the end.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Writes the whole chunk. Settles when the kernel has all of it, so awaiting it before the next one bounds memory, however
   * slowly the peer reads. The chunk must not change before that.
   *
   * @throws {Fd3Error} `EPIPE` or `ECONNRESET` if the peer is gone, `ERR_FD3_CLOSED` after `close()` or `closeWrite()`.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Calls `callback` with each chunk until the peer's end: the fastest way through. If it returns a promise, the next chunk
   * waits for that. The chunk is valid until then: its memory is used again.
   *
   * @throws {Fd3Error} `ECONNRESET` if the peer broke the connection; and whatever `callback` throws.
   */
  forEach(callback: (chunk: Uint8Array) => void | Promise<void>): Promise<void>;
  /** Ends our side, once what was written before is sent: the peer reads its end (FIN). We can still read. */
  closeWrite(): Promise<void>;
  /** Closes both sides now. Writes that have not settled are lost and reject; the others are not. Calling it again does nothing. */
  close(): Promise<void>;
}

/** What every entry point of fd3 offers, on every runtime. */
export interface Api {
  /**
   * The descriptors that the service manager passed, as sd_listen_fds_with_names(3) answers. They are read once per process:
   * later calls, also from another copy of fd3, give the same list or throw the same error. The variables leave the
   * environment, on errors too, so that children never see them, and FD_CLOEXEC is set on each descriptor. (`Bun.spawn()` without
   * `env` passes on the environment of the start all the same: oven-sh/bun#34972.)
   *
   * | environment | result |
   * | --- | --- |
   * | LISTEN_PID or LISTEN_FDS unset | `[]` |
   * | LISTEN_PID (or LISTEN_PIDFDID) of another process | `[]` |
   * | LISTEN_FDS=2 | two, both named `unknown` |
   * | LISTEN_FDS=2 LISTEN_FDNAMES=a:b | two, named `a` and `b` |
   * | number of names differs, LISTEN_FDS is no number or below 1 | throws `EINVAL` |
   * | a number out of range | throws `ERANGE` |
   * | a descriptor is not open | throws `EBADF` |
   *
   * Call it in the main thread: a worker of Node or Bun has an environment and a list of its own, and would take them again.
   *
   * Deno permissions: `--allow-env=LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES`; with `--allow-ffi` it sets FD_CLOEXEC
   * and checks that each descriptor is open.
   *
   * @throws {Fd3Error} As in the table.
   * @param options `keepEnv` leaves the variables where they are.
   * @returns The descriptors in the order of the Listen…= lines of the unit.
   */
  listenFds(options?: ListenFdsOptions): ListenFd[];
  /**
   * A stream listener: the inherited one, or one opened at `fallback` when none was passed at all.
   *
   * Deno permissions: those of {@linkcode Api.listenFds} and no more. With `--allow-ffi` and `--allow-net` it runs on Deno's own
   * listener, which starts in half the time; without them on node:net. A fallback needs `--allow-net`, or `--allow-read` and
   * `--allow-write` for a path.
   *
   * @throws {Fd3Error} `ERR_FD3_NO_FDS` if none was passed and there is no fallback, `ERR_FD3_TOO_MANY_FDS` if more than one
   * fits, `ERR_FD3_NAME` or `ERR_FD3_KIND` if some were passed and none fits, `EADDRINUSE` if the fallback address is taken,
   * and what `listenFds` throws.
   * @throws {TypeError} If an option is not of its kind.
   */
  listen(options?: ListenOptions): Promise<Listener>;
  /**
   * Serves HTTP with a fetch handler, on the inherited socket or at `fallback`, at the speed of the runtime's own server.
   *
   * | engine | runs on | needs |
   * | --- | --- | --- |
   * | `deno-serve` | Deno | `--allow-ffi`, and `--allow-net` (`=127.0.0.1` is enough for TCP) |
   * | `bun-serve` | Bun | |
   * | `node-http` | Node, Deno, Bun | the package @hono/node-server, which comes with fd3 |
   *
   * A handler that fails is a 500 and never ends the process; so is one that returns no `Response`. `request.url` has the
   * authority of the Host header, and `http:` or `https:` also on a Unix socket; a request whose Host is no authority gets a 400.
   *
   * On Node the global `Request` and `Response` become those of @hono/node-server, which extend them: real ones cost more than all the
   * rest. `fetch(request)` of undici takes real ones alone: write `fetch(new Request(request))` there.
   *
   * @throws {Fd3Error} What `listen` throws, and `ERR_FD3_PLATFORM` if the engine that is forced is of another runtime.
   * @throws {TypeError} If the handler or an option is not of its kind.
   * @param handler Answers one request.
   * @param options Those of `listen`, and how to serve.
   *
   * @example Until SIGTERM
   * ```ts
   * import { serve, terminated } from "@fd3/fd3";
   *
   * const server = await serve(() => new Response("Hello World"), { fallback: "127.0.0.1:8080", signal: terminated() });
   * await server.finished;
   * ```
   */
  serve(handler: ServeHandler, options?: ServeOptions): Promise<HttpServer>;
  /** A signal that aborts on the first SIGTERM or SIGINT. From then on neither ends the process by itself. */
  terminated(): AbortSignal;
  /** The arguments of the command line, without the runtime and the script. */
  args(): readonly string[];
  /** Ends the process with this status. */
  exit(status: number): never;
}
