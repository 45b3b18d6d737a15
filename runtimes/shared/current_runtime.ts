import type { Host } from "../../src/host.ts";

/** Which runtime this really is. Bun and Deno have `process`, too, so Node is what is neither. */
export function currentRuntime(): Host["runtime"] {
  if ("Deno" in globalThis) return "Deno";
  return "Bun" in globalThis ? "Bun" : "Node";
}
