import { AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW, SOL_TCP, TCP_INFO } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { descriptorTarget, socketInode } from "./proc.ts";
import type { Choice } from "../activation/choose.ts";
import { hasLibc, type Host } from "../host.ts";

/** The longest accept queue there is; the kernel cuts it to net.core.somaxconn. */
export const longestBacklog = 0x7fffffff;

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const UDIAG_SHOW_RQLEN = 0x10;
const UNIX_DIAG_RQLEN = 4;
const AF_UNIX = 1;
const TCP_LISTEN = 10;

/** `tcpi_sacked` of a listening socket is the length of its accept queue (net/ipv4/tcp.c, tcp_get_info()). */
function tcpBacklog(libc: Libc, fd: number): number | undefined {
  const info = new Uint8Array(64);
  if (libc.getsockopt(fd, SOL_TCP, TCP_INFO, info, Uint8Array.of(info.length, 0, 0, 0)) < 0) return undefined;
  const tcpiState = info[0];
  const tcpiSacked = new DataView(info.buffer).getUint32(28, true);
  return tcpiState === TCP_LISTEN ? tcpiSacked : undefined;
}

/** A request of sock_diag(7) for one Unix socket by its inode: struct nlmsghdr and struct unix_diag_req. */
function unixRequest(inode: number): Uint8Array {
  const bytes = new Uint8Array(40);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  view.setUint8(16, AF_UNIX);
  view.setUint32(20, 1 << TCP_LISTEN, true);
  view.setUint32(24, inode, true);
  view.setUint32(28, UDIAG_SHOW_RQLEN, true);
  // INET_DIAG_NOCOOKIE: we have none, the inode is enough.
  view.setUint32(32, 0xffffffff, true);
  view.setUint32(36, 0xffffffff, true);
  return bytes;
}

/** udiag_wqueue of the UNIX_DIAG_RQLEN attribute behind struct nlmsghdr and struct unix_diag_msg. */
function unixReply(reply: DataView): number | undefined {
  if (reply.byteLength < 32 || reply.getUint16(4, true) !== SOCK_DIAG_BY_FAMILY) return undefined;
  for (let at = 32; at + 12 <= reply.byteLength;) {
    const length = reply.getUint16(at, true);
    if (reply.getUint16(at + 2, true) === UNIX_DIAG_RQLEN) return reply.getUint32(at + 8, true);
    if (length < 4) return undefined;
    at += (length + 3) & ~3;
  }
  return undefined;
}

function unixBacklog(libc: Libc, fd: number): number | undefined {
  const inode = socketInode(descriptorTarget(libc, fd));
  if (inode === undefined) return undefined;
  const netlink = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return undefined;
  try {
    const request = unixRequest(inode);
    if (libc.write(netlink, request, request.length) !== request.length) return undefined;
    const reply = new Uint8Array(1024);
    const n = libc.read(netlink, reply, reply.length);
    return n < 0 ? undefined : unixReply(new DataView(reply.buffer, 0, n));
  } finally {
    libc.close(netlink);
  }
}

/**
 * The length of a listening socket's accept queue, what `Backlog=` said: a runtime that calls listen(2) again must be given this.
 *
 * @param libc libc.
 * @param fd A listening stream socket.
 * @param transport Its transport.
 * @returns `undefined` if the kernel does not say: a Unix socket of another network namespace (PrivateNetwork=), or without AF_NETLINK
 * in RestrictAddressFamilies=.
 */
function backlogOf(libc: Libc, fd: number, transport: "tcp" | "unix" | "vsock"): number | undefined {
  if (transport === "tcp") return tcpBacklog(libc, fd);
  return transport === "unix" ? unixBacklog(libc, fd) : undefined;
}

/** The accept queue's length of a chosen listener; `undefined` without libc, or where the kernel does not say. */
export function inheritedBacklog(host: Host, { fd, kind }: Choice): number | undefined {
  const libc = host.libc();
  if (!hasLibc(libc) || kind?.is !== "socket" || kind.address === undefined) return undefined;
  return backlogOf(libc, fd, kind.address.transport);
}
