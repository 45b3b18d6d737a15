import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import { EPOLLET } from "../../src/linux/constants.ts";
import type { Clients } from "../../src/linux/clients.ts";
import { secretName } from "../../src/linux/sockaddr.ts";
import { nextFd, transplantWatched } from "../../src/linux/transplant.ts";
import type { Address } from "../../src/types.ts";
import { addressOf } from "../shared/choice.ts";
import { serverAddress, startServer } from "../shared/net_listener.ts";
import type { NetServer } from "../shared/node_types.ts";
import { runtimePath } from "../shared/paths.ts";
import { inheritedClients } from "../shared/server_clients.ts";
import { bunHost as host } from "./host.ts";
import { ServeSocket } from "./serve/socket.ts";

/** What a placeholder of Bun's own server needs of the unit, whatever the socket's own family is: IPv6 is what Bun tries first. */
export const families = "where RestrictAddressFamilies= is set, it must name AF_INET, AF_INET6 and AF_UNIX";

/** A server of Bun's node: modules on an inherited socket. */
export interface TransplantedServer {
  /** Where it really listens. */
  readonly address: Exclude<Address, { transport: "vsock" }>;
  /** Its connections. */
  readonly clients: Clients | undefined;
  /** What Bun accepts on. */
  readonly socket: ServeSocket;
  /** Closes the inherited descriptor, once; Bun has a number of its own for it. */
  giveUp(): void;
  /** Settles when the server has said that it listens. */
  readonly listening: Promise<void>;
}

/**
 * Bun's http and https servers ignore `fd` and listen on a port of their own: there the socket is put in their place.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if that does not work; the server is closed then.
 * @param server The server, not listening yet.
 * @param choice The inherited socket.
 * @param action What this is, for errors.
 */
export async function transplantServer(
  server: NetServer,
  choice: Choice,
  action: string,
): Promise<TransplantedServer> {
  const { fd } = choice;
  const address = addressOf(choice);
  const libc = host.libc();
  if (!hasLibc(libc)) throw new Fd3Error("ERR_FD3_FFI", `Cannot ${action}: ${libc.missing}`);
  if (address === undefined) throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${fd}: its family is unknown`);
  const path = secretName();
  const isTcp = address.transport === "tcp";
  const expected = nextFd(libc, fd);
  const listening = startServer(server, isTcp ? { host: "127.0.0.1", port: 0 } : { path: runtimePath(path) }, action);
  listening.catch(() => {});
  // It is open already, and before the event loop turns nobody is accepted on the placeholder.
  if (server.address() === null) {
    await listening.catch((cause) => {
      throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot open a placeholder with Bun's server; ${families}`, { cause });
    });
  }
  const at: Address = isTcp ? serverAddress(server) : { transport: "unix", path };
  const placeholder = { address: at, expected, close: () => void server.close() };
  const socket = new ServeSocket(libc, transplantWatched(libc, fd, placeholder, EPOLLET));
  let isOpen = true;
  const giveUp = () => {
    if (isOpen) libc.close(fd);
    isOpen = false;
  };
  return { address, clients: inheritedClients(host, address), socket, giveUp, listening };
}
