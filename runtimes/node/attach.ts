import { formatAddress } from "../../src/activation/address.ts";
import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import { transplant } from "../../src/linux/transplant.ts";
import { listenWith } from "../../src/listen.ts";
import type { Address, ListenOptions } from "../../src/types.ts";
import { addressOf } from "../shared/choice.ts";
import { adoptServer, serverAddress, startServer } from "../shared/net_listener.ts";
import type { NetServer } from "../shared/node_types.ts";
import { runtimePath } from "../shared/paths.ts";
import { processGlobal } from "../shared/process_host.ts";
import { currentHost } from "./current_host.ts";

/** Options of `attach()`, those of `listen()`. */
export type AttachOptions = ListenOptions;

/** Where an attached server listens. */
export interface Attached {
  /** Where it really listens. */
  readonly address: Address;
  /** Whether the service manager passed the socket. */
  readonly activated: boolean;
  /** The name that the service manager gave it; `undefined` where it was opened here. */
  readonly name: string | undefined;
}

let counter = 0;

/** Bun's http and https servers ignore `fd` and listen on a port of their own: there the socket is put in their place. */
async function attachByTransplant(server: NetServer, choice: Choice, address: Address, host: Host): Promise<void> {
  const libc = host.libc();
  if (!hasLibc(libc)) throw new Fd3Error("ERR_FD3_FFI", `Cannot attach to fd ${choice.fd}: ${libc.missing}`);
  const isTcp = address.transport === "tcp";
  const path = `@fd3-${processGlobal().pid}-attach-${counter++}`;
  const options = isTcp ? { host: "127.0.0.1", port: 0 } : { path: runtimePath(path) };
  await startServer(server, options, `attach to fd ${choice.fd}`);
  const at: Address = isTcp ? serverAddress(server) : { transport: "unix", path };
  transplant(libc, choice.fd, { address: at, close: () => void server.close() });
  server.once("close", () => libc.close(choice.fd));
  const shown = isTcp
    ? { address: address.hostname, family: address.hostname.includes(":") ? "IPv6" : "IPv4", port: address.port }
    : formatAddress(address);
  Object.defineProperty(server, "address", { configurable: true, value: () => shown });
}

async function adopt(server: NetServer, choice: Choice, host: Host): Promise<Attached> {
  const { fd, name } = choice;
  if (host.runtime !== "Bun") {
    return { address: await adoptServer(server, host, choice, `attach to fd ${fd}`), activated: true, name };
  }
  const address = addressOf(choice);
  if (address === undefined) throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${fd}: its family is unknown`);
  await attachByTransplant(server, choice, address, host);
  return { address, activated: true, name };
}

/** See `attach` of the entry point. */
export function attachServer(server: NetServer, options: AttachOptions): Promise<Attached> {
  if (typeof server?.listen !== "function") {
    return Promise.reject(
      new TypeError(`Cannot attach: server is ${typeof server}, not a server of node:net or the like`),
    );
  }
  if (server.listening) return Promise.reject(new TypeError("Cannot attach: server is listening already"));
  const host = currentHost();
  return listenWith({
    host,
    adopt: (choice) => adopt(server, choice, host),
    open: async (address, mode) => ({
      address: await (await import("../shared/net_fallback.ts")).openServer(server, address, mode),
      activated: false,
      name: undefined,
    }),
  }, options);
}
