import type { FallbackAddress } from "../../src/activation/address.ts";
import { openFallback } from "../shared/socket_file.ts";
import { toBun } from "./address.ts";
import type { BunListenOptions } from "./native.ts";
import { bun, type BunListener } from "./types.ts";

/** Opens an address with Bun.listen(), its own listener. */
export function openNative(
  address: FallbackAddress,
  mode: number | undefined,
  options: BunListenOptions,
): Promise<BunListener> {
  return openFallback(address, mode, "stop", () => bun().listen({ ...options, ...toBun(address) }));
}
