import type { Address } from "../types.ts";
import type { Part } from "./part.ts";

function addressText(address: Address): string {
  switch (address.transport) {
    case "tcp": {
      const { hostname, port } = address;
      return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
    }
    case "unix":
      // Without FFI its path may not be known.
      return address.path === "" ? "a Unix socket" : address.path;
    case "vsock":
      return `vsock:${address.cid}:${address.port}`;
  }
}

/** What a daemon serves with, for its log: `fd3: serving on /run/foobar.sk (deno-serve, inherited)`. */
export function servingLine({ engine, addresses, activated }: Part): string {
  const origin = activated ? "inherited" : "opened here";
  const how = engine === undefined ? origin : `${engine}, ${origin}`;
  return `fd3: ${engine === undefined ? "listening" : "serving"} on ${addresses.map(addressText).join(", ")} (${how})`;
}
