import type { FileAccess } from "../../src/types.ts";
import type { FallbackAddress } from "../../src/activation/address.ts";
import { openFallback } from "../shared/socket_file.ts";
import { toDeno } from "./address.ts";
import { denoHost as host } from "./host.ts";
import { deno, type DenoListener } from "./types.ts";

/** Opens an address with Deno.listen(), its own listener. */
export function openNative(address: FallbackAddress, access: FileAccess): Promise<DenoListener> {
  return openFallback(host, address, access, "close", () => deno().listen(toDeno(address)));
}
