import type { FallbackAddress } from "../../src/activation/address.ts";
import { runtimePath } from "../shared/common.ts";

/** `Bun.listen()`'s form of an address. */
export function toBun(address: FallbackAddress): object {
  return address.transport === "unix"
    ? { unix: runtimePath(address.path) }
    : { hostname: address.hostname, port: address.port };
}
