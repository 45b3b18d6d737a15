import type { Address } from "../types.ts";
import { EBADF, SO_ACCEPTCONN, SO_DOMAIN, SO_TYPE, SOCK_STREAM, SOL_SOCKET } from "./constants.ts";
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

// For all calls: thousands of connections are asked for their options again and again.
const value = new Int32Array(1);
const valueBytes = new Uint8Array(value.buffer);
const length = new Uint8Array(4);

/** An `int` option of SOL_SOCKET, or the negative errno. */
function option(libc: Libc, fd: number, name: number): number {
  length[0] = valueBytes.length;
  const result = libc.getsockopt(fd, SOL_SOCKET, name, valueBytes, length);
  return result < 0 ? result : value[0];
}

/** Whether it is a stream socket: a datagram socket may have the same address, as in a server of DNS. */
export function isStream(libc: Libc, fd: number): boolean {
  return option(libc, fd, SO_TYPE) === SOCK_STREAM;
}

/** Whether it accepts connections; `undefined` if it is no socket. */
export function isListening(libc: Libc, fd: number): boolean | undefined {
  const is = option(libc, fd, SO_ACCEPTCONN);
  return is < 0 ? undefined : is === 1;
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

/** Whether it is a stream socket that accepts connections. */
export function isStreamListener(kind: DescriptorKind): kind is Extract<DescriptorKind, { is: "socket" }> {
  return kind.is === "socket" && kind.type === SOCK_STREAM && kind.listening;
}
