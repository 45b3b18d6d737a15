import type { Address } from "../types.ts";

/** A host as a URL has it: an IPv6 address in brackets, and without its scope, for which a URL has no place. */
export function urlHost(hostname: string): string {
  const [ip] = hostname.split("%");
  return ip.includes(":") ? `[${ip}]` : ip;
}

/** What a client asks that sends no Host header, as HTTP/1.0 allows: the address itself. */
export function authorityOf(address: Address): string {
  return address.transport === "tcp" ? `${urlHost(address.hostname)}:${address.port}` : "localhost";
}
