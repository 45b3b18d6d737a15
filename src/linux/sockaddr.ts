import type { Address } from "../types.ts";
import { AF_INET, AF_INET6, AF_UNIX, AF_VSOCK } from "./constants.ts";

/** `sizeof(struct sockaddr_storage)`. */
export const SOCKADDR_SIZE = 128;
/** Where sun_path, sin_port and sin6_port begin. */
const DATA = 2;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** An IPv6 address in the form of RFC 5952: the longest run of two or more zero groups is left out. */
export function formatIpv6(bytes: Uint8Array): string {
  if (bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return `::ffff:${bytes.subarray(12, 16).join(".")}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8 | bytes[2 * i + 1]).toString(16));
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(":");
  return `${groups.slice(0, best.start).join(":")}::${groups.slice(best.start + best.length).join(":")}`;
}

function decodeUnix(bytes: Uint8Array, length: number): Address {
  const name = bytes.subarray(DATA, length);
  if (name.length === 0) return { transport: "unix", path: "" };
  if (name[0] === 0) return { transport: "unix", path: `@${decoder.decode(name.subarray(1))}` };
  const end = name.indexOf(0);
  return { transport: "unix", path: decoder.decode(end < 0 ? name : name.subarray(0, end)) };
}

/**
 * What getsockname(2) wrote.
 *
 * @param bytes A `struct sockaddr`, in the byte order of the machine (x86-64 and arm64 Linux are both little-endian).
 * @param length How much of it counts.
 * @returns `undefined` for a family that has no stream sockets fd3 knows.
 */
export function decodeSockaddr(bytes: Uint8Array, length: number): Address | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (length < DATA ? 0 : view.getUint16(0, true)) {
    case AF_UNIX:
      return decodeUnix(bytes, length);
    case AF_INET:
      return { transport: "tcp", hostname: bytes.subarray(4, 8).join("."), port: view.getUint16(2) };
    case AF_INET6: {
      // Who asks for the peer of an IPv4 connection gets the beginning of this, where the descriptor is another's.
      if (length < 28) return undefined;
      const scope = view.getUint32(24, true);
      const hostname = formatIpv6(bytes.subarray(8, 24)) + (scope === 0 ? "" : `%${scope}`);
      return { transport: "tcp", hostname, port: view.getUint16(2) };
    }
    case AF_VSOCK:
      return { transport: "vsock", port: view.getUint32(4, true), cid: view.getUint32(8, true) };
  }
  return undefined;
}

/**
 * An abstract name for a socket of our own that nobody else is to reach, or to take first: any user of the network namespace may bind any
 * name. (Not getRandomValues(), which takes Bun 0.2 ms longer the first time.)
 */
export function secretName(): string {
  return `@fd3-${crypto.randomUUID()}`;
}

/** A `struct sockaddr_un` of exactly the length that bind(2) wants: a path with its NUL, an abstract name without. */
export function encodeUnix(path: string): Uint8Array {
  const text = path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`;
  const name = encoder.encode(text);
  const bytes = new Uint8Array(DATA + name.length);
  bytes[0] = AF_UNIX;
  bytes.set(name, DATA);
  return bytes;
}
