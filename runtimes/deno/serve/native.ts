import { type FallbackAddress, formatAddress } from "../../../src/activation/address.ts";
import { type Choice, ownOptions } from "../../../src/activation/choose.ts";
import { Fd3Error } from "../../../src/errors.ts";
import type { Libc } from "../../../src/linux/libc.ts";
import { type Adapter, listenWith } from "../../../src/listen.ts";
import type { FileAccess, ListenOptions } from "../../../src/types.ts";
import { addressOf } from "../../shared/choice.ts";
import { clientsAt, inheritedClients } from "../../shared/server_clients.ts";
import { denoHost as host } from "../host.ts";
import { obstacle } from "../native.ts";
import { HeldSource, openSource, type Serve } from "./source.ts";
import { isTls } from "./start.ts";
import { serverOf, Serving } from "./serving.ts";
import type { DenoAddress, DenoHttpServer, DenoServeHandler } from "../types.ts";

/** Options of `serveNative()`: those of `listen()`, and those of `Deno.serve()` but for the address. */
export interface ServeNativeOptions extends ListenOptions {
  /** The certificate, with its chain behind it, as PEM text: with it and `key`, https and HTTP/2. */
  readonly cert?: string;
  /** The private key, as PEM text. */
  readonly key?: string;
  /** As for `Deno.serve()`. */
  readonly keyFormat?: "pem";
  /** As for `Deno.serve()`: whether responses are compressed. */
  readonly automaticCompression?: boolean;
  /** As for `Deno.serve()`: makes the response to a request whose handler failed. */
  readonly onError?: (error: unknown) => Response | Promise<Response>;
  /** Called once, with where it listens. Without it, nothing is printed. */
  readonly onListen?: (address: DenoAddress) => void;
  /** Cuts everything off when it aborts, as for `Deno.serve()`. */
  readonly signal?: AbortSignal;
  /** As for `Deno.serve()`, for the fallback. */
  readonly reusePort?: boolean;
  /** As for `Deno.serve()`, for the fallback: the length of the accept queue. An inherited one keeps its own. */
  readonly tcpBacklog?: number;
}

/** Deno ignores a certificate there, and would serve in the clear. */
function refuseTlsOn(what: string, address: FallbackAddress, { options }: Serve): void {
  if (!isTls(options) || address.transport === "tcp") return;
  throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot serve ${what} with TLS: Deno has no TLS on a Unix socket`);
}

/** A server, and where it began. */
interface Served {
  readonly serving: Serving;
  readonly server: DenoHttpServer;
}

/**
 * `Deno.serve()` on a chosen descriptor.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` if a permission is missing, `ERR_FD3_TRANSPLANT` if a step failed, `ERR_FD3_PLATFORM` for TLS on a
 * Unix socket; nothing has changed then.
 */
export function adoptServing(choice: Choice, serve: Serve): Served {
  const { fd } = choice;
  const address = addressOf(choice);
  const why = obstacle(address);
  if (why !== undefined) throw new Fd3Error("ERR_FD3_FFI", `Cannot adopt fd ${fd} as a Deno.HttpServer: ${why}`);
  refuseTlsOn(`fd ${fd}`, address!, serve);
  const libc = host.libc() as Libc;
  const source = new HeldSource(libc, fd, address!, serve);
  const clients = inheritedClients(host, address!);
  const first = source.start();
  const serving = new Serving(clients, { source, first });
  return { serving, server: serverOf(serving, first) };
}

/**
 * `Deno.serve()` at an address.
 *
 * @throws {Fd3Error} What Deno or the kernel says, with the address; `ERR_FD3_PLATFORM` for TLS on a Unix socket.
 */
export async function openServing(address: FallbackAddress, access: FileAccess, serve: Serve): Promise<Served> {
  refuseTlsOn(formatAddress(address), address, serve);
  const libc = host.libc();
  const clients = clientsAt(host, address);
  const opened = await openSource(obstacle(address) === undefined ? libc as Libc : undefined, address, access, serve);
  if (clients !== undefined) clients.listener = opened.source.address;
  const serving = new Serving(clients, opened);
  return { serving, server: serverOf(serving, opened.first) };
}

function checkServeOptions(options: ServeNativeOptions, handler: unknown): void {
  if (typeof handler !== "function") {
    throw new TypeError(`Cannot serve: handler is ${typeof handler}, not a function`);
  }
  for (const name of ["hostname", "port", "path", "cid"]) {
    if (!(name in Object(options))) continue;
    throw new TypeError(`Cannot serve: ${name} is given; the address is the inherited socket's, or fallback's`);
  }
}

function heed(serving: Serving, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (signal.aborted) return serving.abort();
  const abort = () => serving.abort();
  signal.addEventListener("abort", abort, { once: true });
  // It may be the signal of the process, which outlives many servers.
  const forget = () => signal.removeEventListener("abort", abort);
  serving.finished.then(forget, forget);
}

/** See `serveNative` of the entry point. */
export async function serveOwn(options: ServeNativeOptions, handler: DenoServeHandler): Promise<DenoHttpServer> {
  checkServeOptions(options, handler);
  const { signal, onListen, ...own } = ownOptions(options);
  const serve: Serve = { options: own, handler };
  const adapter: Adapter<Served> = {
    host,
    adopt: (choice) => adoptServing(choice, serve),
    open: (address, access) => openServing(address, access, serve),
  };
  const { serving, server } = await listenWith(adapter, options);
  try {
    onListen?.(server.addr);
  } catch (error) {
    serving.abort();
    throw error;
  }
  heed(serving, signal);
  return server;
}
