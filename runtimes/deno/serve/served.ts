import { type FallbackAddress, formatAddress } from "../../../src/activation/address.ts";
import { addressOf, type Choice } from "../../../src/activation/choose.ts";
import { Fd3Error } from "../../../src/errors.ts";
import type { Exchanges } from "../../../src/http/exchanges.ts";
import type { Libc } from "../../../src/linux/libc.ts";
import type { FileAccess } from "../../../src/types.ts";
import { type Clients, clientsAt, inheritedClients } from "../../../src/linux/clients.ts";
import { denoHost as host } from "../host.ts";
import { obstacle } from "../native.ts";
import type { DenoHttpServer, DenoServeHandler } from "../types.ts";
import { serverOf, Serving } from "./serving.ts";
import { HeldSource, openSource } from "./source.ts";
import { type DenoServeOptions, isTls } from "./start.ts";
import { DenoTraffic } from "./traffic.ts";
import { noteWebSockets } from "./web_sockets.ts";

/** A handler whose requests are known. */
export interface Tracked {
  readonly options: DenoServeOptions;
  readonly exchanges: Exchanges;
  /** Makes what Deno calls. */
  handlerOf(traffic: DenoTraffic): DenoServeHandler;
}

/** A server of `Deno.serve()`, with what is under way there. */
export interface TrackedServer {
  readonly serving: Serving;
  readonly server: DenoHttpServer;
  readonly traffic: DenoTraffic;
  readonly isTls: boolean;
}

/** Deno ignores a certificate there, and would serve in the clear. */
function refuseTlsOn(what: string, address: FallbackAddress, { options }: Tracked): void {
  if (!isTls(options) || address.transport === "tcp") return;
  throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot serve ${what} with TLS: Deno has no TLS on a Unix socket`);
}

/** Follows what is under way at a server that does not listen yet. */
function follow(tracked: Tracked, clients: Clients | undefined) {
  const { options, exchanges } = tracked;
  const traffic = new DenoTraffic(exchanges, clients, isTls(options));
  return { traffic, serve: { options, handler: traffic.noting(tracked.handlerOf(traffic)) } };
}

/**
 * `Deno.serve()` on a chosen descriptor.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` if a permission is missing, `ERR_FD3_TRANSPLANT` if a step failed, `ERR_FD3_PLATFORM` for TLS on a
 * Unix socket; nothing has changed then.
 */
export function adoptServing(choice: Choice, tracked: Tracked): TrackedServer {
  const { fd } = choice;
  const address = addressOf(choice);
  const why = obstacle(address);
  if (why !== undefined) throw new Fd3Error("ERR_FD3_FFI", `Cannot adopt fd ${fd} as a Deno.HttpServer: ${why}`);
  refuseTlsOn(`fd ${fd}`, address!, tracked);
  const libc = host.libc() as Libc;
  const clients = inheritedClients(host, address!);
  const { traffic, serve } = follow(tracked, clients);
  const source = new HeldSource(libc, fd, address!, serve);
  noteWebSockets();
  const first = source.start();
  const serving = new Serving(clients, { source, first });
  return { serving, server: serverOf(serving, first), traffic, isTls: isTls(tracked.options) };
}

/**
 * `Deno.serve()` at an address.
 *
 * @throws {Fd3Error} What Deno or the kernel says, with the address; `ERR_FD3_PLATFORM` for TLS on a Unix socket.
 */
export async function openServing(
  address: FallbackAddress,
  access: FileAccess,
  tracked: Tracked,
): Promise<TrackedServer> {
  refuseTlsOn(formatAddress(address), address, tracked);
  const libc = host.libc();
  const clients = clientsAt(host, address);
  const { traffic, serve } = follow(tracked, clients);
  const held = obstacle(address) === undefined ? libc as Libc : undefined;
  noteWebSockets();
  const opened = await openSource(held, address, access, serve);
  if (clients !== undefined) clients.listener = opened.source.address;
  const serving = new Serving(clients, opened);
  return { serving, server: serverOf(serving, opened.first), traffic, isTls: isTls(tracked.options) };
}
