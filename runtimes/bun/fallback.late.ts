import type { FileAccess } from "../../src/types.ts";
import type { FallbackAddress } from "../../src/activation/address.ts";
import { openFallback } from "../shared/socket_file.ts";
import { toBun } from "./address.ts";
import { bunHost as host } from "./host.ts";
import { bun, type BunListener, type BunListenOptions } from "./types.ts";

/** Opens an address with Bun.listen(), its own listener. */
export function openNative(
  address: FallbackAddress,
  access: FileAccess,
  options: BunListenOptions,
): Promise<BunListener> {
  return openFallback(host, address, access, "stop", () => bun().listen({ ...options, ...toBun(address) }));
}
