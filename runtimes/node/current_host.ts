import type { Host } from "../../src/host.ts";
import type { NotifyParts } from "../../src/notify/host.ts";
import { bunHost } from "../bun/host.ts";
import { openBunFunctions as openBun } from "../bun/libc.ts";
import { denoHost } from "../deno/host.ts";
import { openDenoFunctions as openDeno } from "../deno/libc.ts";
import { serviceHost as denoService } from "../deno/service_host.ts";
import { processService } from "../shared/process_service.ts";
import { nodeHost } from "./host.ts";
import { openNodeFunctions as openNode } from "./libc.ts";

/** The runtime that this really is: `fd3/node` works on Bun and Deno too, with their own ways to libc and the environment. */
export function currentHost(): Host {
  if ("Deno" in globalThis) return denoHost;
  return "Bun" in globalThis ? bunHost : nodeHost;
}

/** The same with what else there is. */
export function currentHosts(): NotifyParts {
  const host = currentHost();
  if ("Deno" in globalThis) return { host, service: denoService, open: openDeno };
  return { host, service: processService, open: "Bun" in globalThis ? openBun : openNode };
}
