import { takeFd, unclaimedFds } from "../activation/take_fd.ts";
import type { Host } from "../host.ts";
import { booted } from "./booted.ts";
import { credential } from "./credential.ts";
import { directories } from "./directories.ts";
import { log } from "./log.ts";
import type { ServiceHost } from "./host.ts";
import type { ServiceApi } from "./types.ts";

/**
 * A service's surroundings on one runtime.
 *
 * @param hosts Give the runtime when something is called.
 */
export function createService(hosts: { readonly host: Host; readonly service: ServiceHost }): ServiceApi {
  return {
    takeFd: (name, options) => takeFd(hosts.host, name, options),
    unclaimedFds: (options) => unclaimedFds(hosts.host, options),
    booted: () => booted(hosts.service),
    log: (priority, message) => log(hosts.service, priority, message),
    credential: (name) => credential(hosts.service, name),
    directories: (kind) => directories(hosts.service, kind),
  };
}
