import type { Address } from "../types.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_VSOCK,
  EBADF,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./constants.ts";
import type { Libc } from "./libc.ts";
import { decodeSockaddr, SOCKADDR_SIZE } from "./sockaddr.ts";

/** What a descriptor is. */
export type DescriptorKind =
  | { readonly is: "closed" }
  | { readonly is: "not a socket" }
  | {
    readonly is: "socket";
    /** AF_… */
    readonly family: number;
    /** SOCK_… */
    readonly type: number;
    readonly listening: boolean;
    readonly address: Address | undefined;
  };

/** An `int` option of SOL_SOCKET, or the negative errno. */
function option(libc: Libc, fd: number, name: number): number {
  const value = new Int32Array(1);
  const result = libc.getsockopt(fd, SOL_SOCKET, name, new Uint8Array(value.buffer), Uint8Array.of(4, 0, 0, 0));
  return result < 0 ? result : value[0];
}

/** Its own address; `undefined` if it is no socket or of an unknown family. */
export function localAddress(libc: Libc, fd: number): Address | undefined {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  const length = Uint32Array.of(SOCKADDR_SIZE);
  if (libc.getsockname(fd, bytes, new Uint8Array(length.buffer)) < 0) return undefined;
  return decodeSockaddr(bytes, length[0]);
}

/**
 * The kind of a descriptor, asked of the kernel without changing it.
 *
 * @param libc libc.
 * @param fd The descriptor.
 */
export function describe(libc: Libc, fd: number): DescriptorKind {
  const type = option(libc, fd, SO_TYPE);
  if (type === -EBADF) return { is: "closed" };
  if (type < 0) return { is: "not a socket" };
  const family = option(libc, fd, SO_DOMAIN);
  const listening = option(libc, fd, SO_ACCEPTCONN) === 1;
  return { is: "socket", family, type, listening, address: localAddress(libc, fd) };
}

const familyNames: Record<number, string> = {
  [AF_UNIX]: "Unix",
  [AF_INET]: "IPv4",
  [AF_INET6]: "IPv6",
  [AF_VSOCK]: "vsock",
};
const typeNames: Record<number, string> = {
  [SOCK_STREAM]: "stream",
  [SOCK_DGRAM]: "datagram",
  [SOCK_RAW]: "raw",
  [SOCK_SEQPACKET]: "sequential packet",
};

/** The kind in words: "a listening IPv4 stream socket". */
export function kindText(kind: DescriptorKind): string {
  if (kind.is !== "socket") return kind.is === "closed" ? "it is not open" : "it is not a socket";
  const family = familyNames[kind.family] ?? `family ${kind.family}`;
  const type = typeNames[kind.type] ?? `type ${kind.type}`;
  const stream = kind.type === SOCK_STREAM || kind.type === SOCK_SEQPACKET;
  const article = family.startsWith("IP") ? "an" : "a";
  const begin = stream ? (kind.listening ? "a listening" : "a non-listening") : article;
  return `it is ${begin} ${family} ${type} socket`;
}

/** Whether it is a stream socket that accepts connections. */
export function isStreamListener(kind: DescriptorKind): kind is Extract<DescriptorKind, { is: "socket" }> {
  return kind.is === "socket" && kind.type === SOCK_STREAM && kind.listening;
}

/** Which error code says what a descriptor is instead of a stream listener. */
export function kindCode(kind: DescriptorKind): "EBADF" | "ENOTSOCK" | "ERR_FD3_KIND" {
  if (kind.is === "closed") return "EBADF";
  return kind.is === "not a socket" ? "ENOTSOCK" : "ERR_FD3_KIND";
}
