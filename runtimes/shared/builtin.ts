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
