import type { Host } from "../../src/host.ts";
import { bunHost } from "../bun/host.ts";
import { denoHost } from "../deno/host.ts";
import { nodeHost } from "./host.ts";

/** The runtime that this really is: `fd3/node` works on Bun and Deno too, with their own ways to libc and the environment. */
export function currentHost(): Host {
  if ("Deno" in globalThis) return denoHost;
  return "Bun" in globalThis ? bunHost : nodeHost;
}
