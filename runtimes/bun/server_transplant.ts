import { addressOf, type Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import { EPOLLET } from "../../src/linux/constants.ts";
import { type Clients, inheritedClients } from "../../src/linux/clients.ts";
import type { Registration } from "../../src/linux/epoll.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { secretName } from "../../src/linux/sockaddr.ts";
import { openTransplanted } from "../../src/linux/transplant.ts";
import type { Address } from "../../src/types.ts";
import { serverAddress, startServer } from "../shared/net_listener.ts";
import type { NetServer } from "../shared/node_types.ts";
import { runtimePath } from "../shared/common.ts";
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

/** A server that listens, or will say why it does not. */
interface Opened {
  readonly address: Address | undefined;
  readonly listening: Promise<void>;
  close(): void;
}

function openPlaceholder(server: NetServer, { transport }: Address, action: string): Opened {
  const path = secretName();
  const where = transport === "tcp" ? { host: "127.0.0.1", port: 0 } : { path: runtimePath(path) };
  const listening = startServer(server, where, action);
  listening.catch(() => {});
  const close = () => void server.close();
  // Bun opens it at once, or not at all; and before the event loop turns nobody is accepted on the placeholder.
  if (server.address() === null) return { address: undefined, listening, close };
  return { address: transport === "tcp" ? serverAddress(server) : { transport: "unix", path }, listening, close };
}

/** Puts the inherited socket in the place of the one that a server opens. */
async function openOn(
  libc: Libc,
  fd: number,
  open: () => Opened,
): Promise<Opened & { readonly watched: Registration }> {
  let listening: Promise<void> | undefined;
  const openNow = () => {
    const { address, ...opened } = open();
    if (address !== undefined) return { address, ...opened };
    listening = opened.listening;
    throw new Fd3Error("ERR_FD3_TRANSPLANT", `Cannot open a placeholder with Bun's server; ${families}`);
  };
  try {
    return openTransplanted(libc, fd, openNow, EPOLLET);
  } catch (error) {
    await listening?.catch((cause) => (error as Fd3Error).cause = cause);
    throw error;
  }
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
  const { watched, listening } = await openOn(libc, fd, () => openPlaceholder(server, address, action));
  const socket = new ServeSocket(libc, watched);
  let isOpen = true;
  const giveUp = () => {
    if (isOpen) libc.close(fd);
    isOpen = false;
  };
  return { address, clients: inheritedClients(host, address), socket, giveUp, listening };
}
