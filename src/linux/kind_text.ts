import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_VSOCK,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from "./constants.ts";
import type { DescriptorKind } from "./socket.ts";

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

/** Which error code says what a descriptor is instead of what is wanted. */
export function kindCode(kind: DescriptorKind): "EBADF" | "ENOTSOCK" | "ERR_FD3_KIND" {
  if (kind.is === "closed") return "EBADF";
  return kind.is === "not a socket" ? "ENOTSOCK" : "ERR_FD3_KIND";
}

/**
 * What the unit must say instead.
 *
 * @param kind What there is.
 * @param line The line of the unit that makes what is wanted.
 */
export function kindCure(kind: DescriptorKind, line: string): string | undefined {
  if (kind.is === "closed") return undefined;
  if (kind.is === "not a socket") {
    return "takeFd() gives descriptors of other kinds, such as those of ListenFIFO= and the store";
  }
  if (kind.type === SOCK_DGRAM) return `ListenDatagram= makes it: write ${line}`;
  if (kind.type === SOCK_SEQPACKET) return `ListenSequentialPacket= makes it: write ${line}`;
  if (kind.type !== SOCK_STREAM) return `write ${line}`;
  return kind.listening ? undefined : "with Accept=yes systemd passes connections: set Accept=no";
}
