import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import { EPOLLET } from "../../src/linux/constants.ts";
import { transplantWatched } from "../../src/linux/transplant.ts";
import type { Address } from "../../src/types.ts";
import { addressOf } from "../shared/choice.ts";
import { serverAddress, startServer } from "../shared/net_listener.ts";
import type { NetAddress, NetServer } from "../shared/node_types.ts";
import { runtimePath } from "../shared/paths.ts";
import { processGlobal } from "../shared/process_host.ts";
import { host } from "./host.ts";
import { findServeSocket, ServeSocket } from "./serve_socket.ts";

let counter = 0;

/**
 * Puts methods of our own on a server until it is closed.
 *
 * @param replaced What it is given besides `close()`.
 * @param action What comes before its own `close()`, which closes what Bun takes for its socket.
 */
function untilClosed(server: NetServer, replaced: Partial<NetServer>, action: () => void): void {
  const before = Object.getOwnPropertyDescriptor(server, "close");
  const { close } = server;
  const methods: Partial<NetServer> = {
    ...replaced,
    close(callback) {
      // It may listen again, somewhere else. What others have put in the place of these stays.
      for (const [name, method] of Object.entries(methods)) {
        if (server[name as keyof NetServer] === method) delete (server as Partial<NetServer>)[name as keyof NetServer];
      }
      if (before !== undefined && !Object.hasOwn(server, "close")) Object.defineProperty(server, "close", before);
      action();
      return close.call(server, callback);
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(server, name, { configurable: true, writable: true, value });
  }
}

/** What `server.address()` says on Node. */
function shownAddress(address: Address): ReturnType<NetServer["address"]> {
  if (address.transport !== "tcp") return runtimePath((address as { path: string }).path);
  const { hostname, port } = address;
  const family = hostname.includes(":") ? "IPv6" : "IPv4";
  return { address: hostname, family, port } as NetAddress;
}

/**
 * Bun's http and https servers ignore `fd` and listen on a port of their own: there the socket is put in their place.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if that does not work; the server is closed then.
 */
export async function attachByTransplant(server: NetServer, choice: Choice): Promise<Address> {
  const { fd } = choice;
  const address = addressOf(choice);
  const libc = host.libc();
  if (!hasLibc(libc)) throw new Fd3Error("ERR_FD3_FFI", `Cannot attach to fd ${fd}: ${libc.missing}`);
  if (address === undefined) throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${fd}: its family is unknown`);
  const path = `@fd3-${processGlobal().pid}-attach-${counter++}`;
  const isTcp = address.transport === "tcp";
  const options = isTcp ? { host: "127.0.0.1", port: 0 } : { path: runtimePath(path) };
  const listening = startServer(server, options, `attach to fd ${fd}`);
  listening.catch(() => {});
  // It is open already, and before the event loop turns nobody is accepted on the placeholder.
  if (server.address() === null) await listening;
  const at: Address = isTcp ? serverAddress(server) : { transport: "unix", path };
  const placeholder = { address: at, close: () => void server.close() };
  const socket = new ServeSocket(libc, transplantWatched(libc, fd, placeholder, EPOLLET));
  untilClosed(server, { address: () => shownAddress(address) }, () => {
    socket.forget();
    libc.close(fd);
  });
  await listening;
  return address;
}

/** Keeps a server that opened its own address from spinning when the descriptors run out. */
export function guardAttached(server: NetServer, address: Address): void {
  const socket = findServeSocket(address);
  if (socket !== undefined) untilClosed(server, {}, () => socket.forget());
}
