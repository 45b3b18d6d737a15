import type { Host } from "../../src/host.ts";

/**
 * A `node:` or `bun:` module, loaded now and not when the importing file loads: on Deno a node: module doubles the time to start,
 * and a static `bun:` import would not load elsewhere. It needs no permission (Node 20.16, Deno 2.1, Bun 1.2).
 *
 * @param id Its name with the prefix.
 */
export function builtin<T>(id: string): T {
  const { process } = globalThis as unknown as { process: { getBuiltinModule(id: string): unknown } };
  return process.getBuiltinModule(id) as T;
}

/** Which runtime this really is. Bun and Deno have `process`, too, so Node is what is neither. */
export function currentRuntime(): Host["runtime"] {
  if ("Deno" in globalThis) return "Deno";
  return "Bun" in globalThis ? "Bun" : "Node";
}

/** An abstract name as the runtimes take it: with a NUL for its `@`. */
export function runtimePath(path: string): string {
  return path.startsWith("@") ? `\0${path.slice(1)}` : path;
}
