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

/** Who may connect to a socket file that is made here. */
export interface FileAccess {
  /**
   * Access mode of the socket file that `fallback` makes, such as `0o660`, from its first moment on. Without it, the umask decides.
   * Deno needs `--allow-ffi` or `--allow-sys` for it.
   */
  readonly mode?: number;
  /**
   * Group of the socket file that `fallback` makes, such as `"www-data"` for a proxy's user: a name of /etc/group, or a number. A service that is
   * not root must be of that group (SupplementaryGroups=). Deno needs `--allow-ffi` for it.
   */
  readonly group?: string | number;
}

/** Options of {@linkcode Api.listen}. */
export interface ListenOptions extends ListenFdsOptions, FileAccess {
  /** Takes only a descriptor of this FileDescriptorName=. Without it, exactly one must fit, unless `all` is set. */
  readonly name?: string;
  /**
   * Takes all sockets that fit, at least one: those of `name`, or without `name` whatever their names are. It is for a unit with several
   * ListenStream= lines, such as one for IPv4, one for IPv6 and one for a path. Where one of them cannot be adopted, none is taken.
   *
   * @default {false}
   */
  readonly all?: boolean;
  /**
   * Where to listen when no descriptor was passed at all: `/path`, `@abstract`, `port` (all addresses, IPv6 and IPv4),
   * `host:port`, `[v6]:port`, `{ hostname, port }` or `{ path }`.
   */
  readonly fallback?: Fallback;
  /**
   * When `fallback` may be used where nothing was passed. `"unsupervised"`: only in a process that no service manager started, as far as its
   * environment says (LISTEN_PID or LISTEN_FDS for another process, NOTIFY_SOCKET, SYSTEMD_EXEC_PID of this process), so that a service whose
   * socket was lost fails instead of serving where nobody looks for it. With `"always"` it warns on stderr, where LISTEN_PID or LISTEN_FDS says so.
   *
   * Deno permissions for `"unsupervised"`: `--allow-env=NOTIFY_SOCKET,SYSTEMD_EXEC_PID`.
   *
   * @default {"always"}
   */
  readonly fallbackFor?: "always" | "unsupervised";
}

/**
 * A stream listener: one inherited socket, several with `all`, or one that was opened at the fallback address.
 *
 * Iterating it gives its connections. It ends when the listener is closed; connections that were accepted by then come first. Where
 * nobody iterates, they are closed. Bun and Node accept as clients come, Deno when the next connection is asked for.
 */
export interface Listener extends AsyncIterable<Connection>, AsyncDisposable {
  /** Where it really listens; with several sockets, the first of {@linkcode Listener.addresses}. */
  readonly address: Address;
  /** Where each of its sockets listens, in the order of the unit's lines. */
  readonly addresses: readonly Address[];
  /** Whether the service manager passed it. */
  readonly activated: boolean;
  /** The name that the service manager gave it, or the first socket of several; `undefined` where it was opened here. */
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
 *
 * @example Lines counted, and told when the peer has sent its end
 * ```ts
 * import type { Connection } from "@fd3/fd3";
 *
 * async function count(connection: Connection): Promise<void> {
 *   let lines = 0;
 *   for await (const chunk of connection) lines += chunk.filter((byte) => byte === 10).length;
 *   await connection.write(new TextEncoder().encode(`${lines}\n`));
 *   await connection.close();
 * }
 * console.log(count);
 * ```
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
  /**
   * What the peer gets, as a web stream. Made on first use. Aborting it closes the connection at once, and so does a write that fails.
   * `pipeTo(writable, { signal })` first waits for the write under way, as the standard says (https://streams.spec.whatwg.org/#readable-stream-pipe-to):
   * where the peer may not read, call {@linkcode Connection.close} when the signal aborts.
   */
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
   * slowly the peer reads. The chunk must not change before that. After a write that failed, what the peer sent before can still be
   * read; on Deno the descriptor stays open for that until somebody reads to the end or calls {@linkcode Connection.close}.
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
