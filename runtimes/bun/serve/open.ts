import type { FallbackAddress } from "../../../src/activation/address.ts";
import { addressOf, type Choice } from "../../../src/activation/choose.ts";
import { Fd3Error } from "../../../src/errors.ts";
import { hasLibc } from "../../../src/host.ts";
import { EPOLLET } from "../../../src/linux/constants.ts";
import { secretName } from "../../../src/linux/sockaddr.ts";
import { openTransplanted } from "../../../src/linux/transplant.ts";
import type { Address, FileAccess } from "../../../src/types.ts";
import { openFallback } from "../../shared/socket_file.ts";
import { bunHost as host } from "../host.ts";
import { toBun } from "../address.ts";
import { findServeSocket, ServeSocket } from "./socket.ts";
import { families } from "../server_transplant.ts";
import { bun, type BunServeOptions, type BunServer } from "../types.ts";

/** A server of Bun's, and the ways to end it. */
export interface OpenedServer {
  readonly native: BunServer;
  /** Where it really listens. */
  readonly address: Exclude<Address, { transport: "vsock" }>;
  /** Stops accepting, and gives the inherited descriptor up or deletes the socket file. Connections go on. */
  release(): void;
  /** Does that, and then what Bun's own `stop()` does. */
  stop(closeActiveConnections?: boolean): Promise<void>;
}

/** The options of `Bun.serve()` that say where to listen, which is said otherwise here. */
const addressOptions = ["hostname", "port", "unix", "fd"];
/** Those that say how, which the inherited socket has behind it. */
const bindOptions = ["reusePort", "ipv6Only"];
/** Outside development Bun's default is to share a port with whoever wants it, and the clients with him (1.4.5). */
const alone = { reusePort: false };

function without(options: BunServeOptions, keys: readonly string[]): BunServeOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !keys.includes(key)));
}

function openPlaceholder(
  inherited: Address,
  options: BunServeOptions,
): { native: BunServer; address: Address; close(): void } {
  const isTcp = inherited.transport === "tcp";
  const path = secretName();
  const where = toBun(isTcp ? { transport: "tcp", hostname: "127.0.0.1", port: 0 } : { transport: "unix", path });
  try {
    // With an id, `bun --hot` would take the second placeholder for the first server, reloaded.
    const native = bun().serve({
      id: null,
      ...without(options, [...addressOptions, ...bindOptions]),
      ...alone,
      ...where,
    });
    const address: Address = isTcp
      ? { transport: "tcp", hostname: "127.0.0.1", port: native.port! }
      : { transport: "unix", path };
    return { native, address, close: () => void native.stop(true) };
  } catch (error) {
    // Only a system call that failed is about the placeholder, which RestrictAddressFamilies= may forbid: anything else is about the options.
    if ((error as { syscall?: unknown }).syscall === undefined) throw error;
    throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot open a placeholder with Bun.serve(); ${families}`, {
      cause: error,
    });
  }
}

/**
 * Bun.serve() on a chosen descriptor, by transplant: it has no option for it.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if that does not work; nothing has changed then.
 * @throws {TypeError} What Bun says of the options; and for HTTP/3, which is not for a stream socket.
 */
export function adoptServe(choice: Choice, options: BunServeOptions): OpenedServer {
  const { fd } = choice;
  const address = addressOf(choice);
  const libc = host.libc();
  if (!hasLibc(libc)) throw new Fd3Error("ERR_FD3_FFI", `Cannot adopt fd ${fd} with Bun.serve(): ${libc.missing}`);
  if (address === undefined) throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${fd}: its family is unknown`);
  if (options.http3) {
    throw new TypeError(`Cannot adopt fd ${fd} with Bun.serve(): http3 is set, and HTTP/3 needs a datagram socket`);
  }
  const { native, watched } = openTransplanted(libc, fd, () => openPlaceholder(address, options), EPOLLET);
  const socket = new ServeSocket(libc, watched);
  let isOpen = true;
  const release = () => {
    socket.release();
    if (isOpen) libc.close(fd);
    isOpen = false;
  };
  return opened(native, address, release);
}

function opened(native: BunServer, address: OpenedServer["address"], release: () => void): OpenedServer {
  const stop = native.stop.bind(native);
  return {
    native,
    address,
    release,
    stop(closeActiveConnections) {
      release();
      return stop(closeActiveConnections);
    },
  };
}

/** Opens an address with Bun.serve() itself. */
export function openServe(
  fallback: FallbackAddress,
  access: FileAccess,
  options: BunServeOptions,
): Promise<OpenedServer> {
  // Bun takes one socket of several on an address for another's.
  const isShared = options.reusePort === true;
  return openFallback(host, fallback, access, ["release", "stop"], () => {
    const native = bun().serve({ ...alone, ...without(options, addressOptions), ...toBun(fallback) });
    const { address: real } = native;
    const address: OpenedServer["address"] = real === undefined || typeof real === "string"
      ? fallback
      : { transport: "tcp", hostname: real.address, port: real.port };
    const socket = isShared ? undefined : findServeSocket(address);
    const stop = native.stop.bind(native);
    return opened(native, address, () => socket === undefined ? void stop() : socket.release());
  });
}
