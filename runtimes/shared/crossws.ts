import { Fd3Error } from "../../src/errors.ts";
import { isLack } from "../../src/free_fds.ts";
import type { EngineName } from "../../src/http/types.ts";
import { systemError } from "../../src/system_error.ts";

/**
 * An adapter of crossws. Each caller imports it itself, by a name that deno publish, esbuild and tsc can read.
 *
 * @throws {Fd3Error} `ERR_FD3_PLATFORM` if the package cannot be loaded.
 * @param engine What serves with it.
 * @param load Imports it.
 */
export async function loadCrossws<T>(engine: EngineName, load: () => Promise<unknown>): Promise<T> {
  const action = `serve WebSockets with ${engine}`;
  try {
    return await load() as T;
  } catch (cause) {
    if (isLack(cause)) throw systemError(action, cause);
    const text = `Cannot ${action}: the package crossws cannot be loaded: ${(cause as Error).message}`;
    throw new Fd3Error("ERR_FD3_PLATFORM", text, { cause });
  }
}
