import { listenFds } from "../../src/activation/table.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import { Clients } from "../../src/linux/clients.ts";
import type { Address } from "../../src/types.ts";

/** The connections of a server that will listen at an address of its own; `undefined` without libc. */
export function clientsAt(host: Host, address: Address): Clients | undefined {
  const libc = host.libc();
  return hasLibc(libc) ? new Clients(libc, address) : undefined;
}

/**
 * Those of a server on an inherited socket. Where that alone was passed, nothing that came in at it can be in this process yet: a start
 * need not look.
 */
export function inheritedClients(host: Host, address: Address): Clients | undefined {
  const libc = host.libc();
  const isFirst = () => listenFds(host, { keepEnv: true }).length === 1;
  return hasLibc(libc) ? new Clients(libc, address, isFirst()) : undefined;
}
