import type { FallbackAddress } from "../../src/activation/address.ts";
import { openFallback } from "../shared/socket_file.ts";
import { toDeno } from "./address.ts";
import { deno, type DenoListener } from "./types.ts";

/** Opens an address with Deno.listen(), its own listener. */
export function openNative(address: FallbackAddress, mode: number | undefined): Promise<DenoListener> {
  return openFallback(address, mode, "close", () => deno().listen(toDeno(address)));
}
