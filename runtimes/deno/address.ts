import type { Address } from "../../src/types.ts";
import { runtimePath } from "../shared/common.ts";
import type { DenoAddress } from "./types.ts";

/** Deno's form of an address. */
export function toDeno(address: Address): DenoAddress {
  return address.transport === "unix" ? { transport: "unix", path: runtimePath(address.path) } : address;
}

/** An address of Deno's. An unnamed or abstract Unix peer has no path there. */
export function fromDeno(address: DenoAddress): Address {
  if (address.transport === "tcp") return { transport: "tcp", hostname: address.hostname!, port: address.port! };
  return { transport: "unix", path: (address.path ?? "").replace(/^\0/, "@") };
}
