import type { Host } from "../../src/host.ts";
import type { ServiceHost } from "../../src/daemon/service_host.ts";
import { host as bunHost } from "../bun/host.ts";
import { host as denoHost } from "../deno/host.ts";
import { serviceHost as denoService } from "../deno/service_host.ts";
import { processService } from "../shared/process_service.ts";
import { host as nodeHost } from "./host.ts";

/** The runtime that this really is: `fd3/node` works on Bun and Deno too, with their own ways to libc and the environment. */
export function currentHost(): Host {
  if ("Deno" in globalThis) return denoHost;
  return "Bun" in globalThis ? bunHost : nodeHost;
}

/** The same for a service's surroundings. */
export function currentService(): ServiceHost {
  return "Deno" in globalThis ? denoService : processService;
}
