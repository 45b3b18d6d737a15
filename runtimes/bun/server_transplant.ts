import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { type Registration, transplantWatched } from "../../src/linux/transplant.ts";
import type { Address } from "../../src/types.ts";
import { addressOf } from "../shared/choice.ts";
import { serverAddress, startServer } from "../shared/net_listener.ts";
import type { NetServer } from "../shared/node_types.ts";
import { runtimePath } from "../shared/paths.ts";
import { processGlobal } from "../shared/process_host.ts";
import { host } from "./host.ts";

let counter = 0;

/** A server of Bun's node: modules on an inherited socket. */
export interface TransplantedServer {
  readonly libc: Libc;
  /** Where it really listens. */
  readonly address: Exclude<Address, { transport: "vsock" }>;
  /** How Bun watches it. */
  readonly registration: Registration;
}

/**
 * Bun's http and https servers ignore `fd` and listen on a port of their own: there the socket is put in their place.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if that does not work; nothing has changed then.
 * @param server The server, not listening yet.
 * @param choice The inherited socket.
 * @param action What this is, for errors.
 * @param extraEvents What it is watched for besides what Bun asks for.
 */
export async function transplantServer(
  server: NetServer,
  choice: Choice,
  action: string,
  extraEvents = 0,
): Promise<TransplantedServer> {
  const address = addressOf(choice);
  if (address === undefined) {
    throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${choice.fd}: its family is unknown`);
  }
  const libc = host.libc();
  if (!hasLibc(libc)) throw new Fd3Error("ERR_FD3_FFI", `Cannot ${action}: ${libc.missing}`);
  const isTcp = address.transport === "tcp";
  const path = `@fd3-${processGlobal().pid}-attach-${counter++}`;
  await startServer(server, isTcp ? { host: "127.0.0.1", port: 0 } : { path: runtimePath(path) }, action);
  const at: Address = isTcp ? serverAddress(server) : { transport: "unix", path };
  const placeholder = { address: at, close: () => void server.close() };
  return { libc, address, registration: transplantWatched(libc, choice.fd, placeholder, extraEvents) };
}
