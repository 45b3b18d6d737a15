import type { FallbackAddress } from "../../src/activation/address.ts";
import type { Choice } from "../../src/activation/choose.ts";
import type { Host } from "../../src/host.ts";
import { listenWith } from "../../src/listen.ts";
import type { Address, FileAccess, ListenOptions } from "../../src/types.ts";
import { adoptServer } from "../shared/net_listener.ts";
import type { NetServer } from "../shared/node_types.ts";
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

async function adopt(server: NetServer, choice: Choice, host: Host): Promise<Attached> {
  const { fd, name } = choice;
  // Bun's own way is for Bun alone: nobody else shall read it.
  const address = host.runtime === "Bun"
    ? await (await import("../bun/attach.ts")).attachByTransplant(server, choice)
    : await adoptServer(server, host, choice, `attach to fd ${fd}`);
  return { address, activated: true, name };
}

async function open(
  server: NetServer,
  fallback: FallbackAddress,
  access: FileAccess,
  host: Host,
): Promise<Attached> {
  const { openServer } = await import("../shared/net_fallback.ts");
  const address = await openServer(host, server, fallback, access);
  if (host.runtime === "Bun") (await import("../bun/attach.ts")).guardAttached(server, address);
  return { address, activated: false, name: undefined };
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
    open: (address, access) => open(server, address, access, host),
  }, options);
}
