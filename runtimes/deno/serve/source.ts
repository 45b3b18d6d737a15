import type { FallbackAddress } from "../../../src/activation/address.ts";
import { Fd3Error } from "../../../src/errors.ts";
import { AF_UNIX, F_DUPFD_CLOEXEC, SOCK_CLOEXEC, SOCK_STREAM } from "../../../src/linux/constants.ts";
import { longestBacklog } from "../../../src/linux/backlog.ts";
import type { Libc } from "../../../src/linux/libc.ts";
import { encodeUnix } from "../../../src/linux/sockaddr.ts";
import { describe, isStreamListener } from "../../../src/linux/socket.ts";
import { findSocket } from "../../../src/linux/transplant.ts";
import { findRegistration } from "../../../src/linux/epoll.ts";
import { withdraw } from "../../../src/linux/withdraw.ts";
import { errnoError } from "../../../src/system_error.ts";
import type { FileAccess, UnixAddress } from "../../../src/types.ts";
import { openFallback } from "../../shared/socket_file.ts";
import { fromDeno } from "../address.ts";
import { denoHost as host } from "../host.ts";
import { type DenoServeOptions, startAt, type Started, startOn } from "./start.ts";
import type { DenoServeHandler } from "../types.ts";

/** Where a server's connections come from, for as many runs of `Deno.serve()` as it takes. */
export interface Source {
  readonly address: FallbackAddress;
  /** The next run. */
  start(): Started | Promise<Started>;
  /** Whether it may be started again later, after this error. */
  canStartLater(error: unknown): boolean;
  /**
   * Gives the socket up: nothing more is accepted.
   *
   * @param current The run that accepts, if one does.
   */
  release(current?: Started): void;
}

/** What each run is given. */
export interface Serve {
  readonly options: DenoServeOptions;
  readonly handler: DenoServeHandler;
}

/** A listening socket that we hold: an inherited one, or our own. Each run gets it by transplant, so its queue outlives them. */
export class HeldSource implements Source {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #serve: Serve;
  readonly address: FallbackAddress;

  /** @param fd Its number, closed with `release()`. */
  constructor(libc: Libc, fd: number, address: FallbackAddress, serve: Serve) {
    this.#libc = libc;
    this.#fd = fd;
    this.#serve = serve;
    this.address = address;
  }

  start(): Started {
    const { options, handler } = this.#serve;
    return startOn(this.#libc, this.#fd, this.address, options, handler);
  }

  canStartLater(): boolean {
    return isStreamListener(describe(this.#libc, this.#fd));
  }

  release(current?: Started): void {
    const [libc, held, watched] = [this.#libc, this.#fd, current?.watched];
    // First, as what comes next wants a descriptor.
    libc.close(held);
    if (watched !== undefined) withdraw(libc, watched);
  }
}

/** An address that each run opens anew, where nothing can be held. Deno closes it when it wants. */
class PlainSource implements Source {
  readonly #access: FileAccess;
  readonly #serve: Serve;
  readonly address: FallbackAddress;

  constructor(address: FallbackAddress, access: FileAccess, serve: Serve) {
    this.#access = access;
    this.#serve = serve;
    this.address = address;
  }

  start(): Promise<Started> {
    const { options, handler } = this.#serve;
    return openFallback(host, this.address, this.#access, "shutdown", () => startAt(this.address, options, handler));
  }

  canStartLater(error: unknown): boolean {
    return error instanceof Fd3Error && error.code === "EMFILE";
  }

  release(current?: Started): void {
    // Deno cannot stop accepting and go on; what it says is said again by `shutdown()`.
    current?.shutdown().catch(() => {});
  }
}

/** A socket at a path that Deno does not know of: it deletes what is at a path of its own when it closes, be it another's by then. */
function listenUnix(libc: Libc, path: string): number {
  const name = encodeUnix(path);
  const check = (result: number) => {
    if (result < 0) throw errnoError(result);
    return result;
  };
  const fd = check(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    check(libc.bind(fd, name, name.length));
    check(libc.listen(fd, longestBacklog));
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** A source, and its first run. */
export interface Begun {
  readonly source: Source;
  readonly first: Started;
}

async function openPath(libc: Libc, address: UnixAddress, access: FileAccess, serve: Serve): Promise<Begun> {
  const open = () => new HeldSource(libc, listenUnix(libc, address.path), address, serve);
  const source = await openFallback(host, address, access, "release", open);
  try {
    return { source, first: source.start() };
  } catch (error) {
    source.release();
    throw error;
  }
}

/** Holds the socket that Deno has just opened. */
function hold(libc: Libc, opened: Begun, serve: Serve): Begun {
  const { address } = opened.source;
  try {
    const fd = findSocket(libc, address);
    const watched = findRegistration(libc, fd);
    const held = libc.fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (held < 0) return opened;
    return { source: new HeldSource(libc, held, address, serve), first: { ...opened.first, watched } };
  } catch {
    return opened;
  }
}

/**
 * Opens a fallback address.
 *
 * @throws {Fd3Error} What Deno or the kernel says, with the address.
 * @throws {TypeError} For a certificate or key that Deno cannot read.
 * @param libc libc, where a transplant to a socket of this address is possible.
 */
export async function openSource(
  libc: Libc | undefined,
  address: FallbackAddress,
  access: FileAccess,
  serve: Serve,
): Promise<Begun> {
  if (libc !== undefined && address.transport === "unix" && address.path.startsWith("/")) {
    return await openPath(libc, address, access, serve);
  }
  const first = await new PlainSource(address, access, serve).start().catch(unwrap);
  const where = address.transport === "tcp" ? fromDeno(first.server.addr) as FallbackAddress : address;
  const opened = { source: new PlainSource(where, access, serve), first };
  return libc === undefined ? opened : hold(libc, opened, serve);
}

/** A wrong argument is no matter of the address. */
function unwrap(error: Error): never {
  throw error.cause instanceof TypeError ? error.cause : error;
}
