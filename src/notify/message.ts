import type { Libc } from "../linux/libc.ts";
import {
  AF_UNIX,
  EAGAIN,
  EINTR,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SCM_CREDENTIALS,
  SCM_RIGHTS,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
} from "../linux/constants.ts";
import { encodeUnix } from "../linux/sockaddr.ts";
import type { MessageLibc } from "./host.ts";

/** One datagram to the service manager. */
export interface Datagram {
  /** `/path` or `@abstract`. */
  readonly address: string;
  readonly payload: Uint8Array;
  /** At most 253 (SCM_MAX_FD of the kernel). */
  readonly fds: readonly number[];
  /** Whose message this is, where it is not plainly ours: struct ucred. */
  readonly credentials: Credentials | undefined;
}

/** A `struct ucred`. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const sizes = { msghdr: 56, iovec: 16, cmsghdr: 16, ucred: 12 };
const align = (size: number) => (size + 7) & ~7;

interface Control {
  readonly type: number;
  readonly values: readonly number[];
}

/** Where each part of a message lies in its one buffer, so that what it points to lives as long as the message. */
function writeMessage(libc: MessageLibc, datagram: Datagram, controls: readonly Control[]): Uint8Array {
  const name = encodeUnix(datagram.address);
  const controlSize = controls.reduce((sum, { values }) => sum + sizes.cmsghdr + align(4 * values.length), 0);
  const iovecAt = sizes.msghdr;
  const controlAt = iovecAt + sizes.iovec;
  const nameAt = controlAt + controlSize;
  const payloadAt = nameAt + align(name.length);
  const bytes = new Uint8Array(new ArrayBuffer(payloadAt + datagram.payload.length));
  const view = new DataView(bytes.buffer);
  const base = libc.address(bytes);
  const pointer = (at: number, target: number) => view.setBigUint64(at, base + BigInt(target), true);
  // struct msghdr, the same on x86-64 and arm64; musl's shorter lengths have their padding behind them, which is 0.
  pointer(0, nameAt);
  view.setUint32(8, name.length, true);
  pointer(16, iovecAt);
  view.setBigUint64(24, 1n, true);
  if (controlSize > 0) pointer(32, controlAt);
  view.setBigUint64(40, BigInt(controlSize), true);
  // struct iovec
  pointer(iovecAt, payloadAt);
  view.setBigUint64(iovecAt + 8, BigInt(datagram.payload.length), true);
  // struct cmsghdr
  let at = controlAt;
  for (const { type, values } of controls) {
    view.setBigUint64(at, BigInt(sizes.cmsghdr + 4 * values.length), true);
    view.setInt32(at + 8, SOL_SOCKET, true);
    view.setInt32(at + 12, type, true);
    values.forEach((value, i) => view.setInt32(at + sizes.cmsghdr + 4 * i, value, true));
    at += sizes.cmsghdr + align(4 * values.length);
  }
  bytes.set(name, nameAt);
  bytes.set(datagram.payload, payloadAt);
  return bytes;
}

function trySend(libc: MessageLibc, socket: number, datagram: Datagram, credentials?: Credentials): number {
  const controls: Control[] = [];
  if (datagram.fds.length > 0) controls.push({ type: SCM_RIGHTS, values: datagram.fds });
  if (credentials !== undefined) {
    const { pid, uid, gid } = credentials;
    controls.push({ type: SCM_CREDENTIALS, values: [pid, uid, gid] });
  }
  const message = writeMessage(libc, datagram, controls);
  let result: number;
  while ((result = libc.sendmsg(socket, message, MSG_NOSIGNAL | MSG_DONTWAIT)) === -EINTR);
  return result;
}

/** As much as libsystemd asks for (SNDBUF_SIZE). */
const sendBuffer = new Uint8Array(Int32Array.of(8 * 1024 * 1024).buffer);

/**
 * Sends one datagram as sd_pid_notify_with_fds(3) does, on a socket of its own, but without waiting.
 *
 * @returns 0 or more, or the negative errno: EAGAIN where the queue of the receiver is full.
 */
export function sendDatagram(base: Libc, libc: MessageLibc, datagram: Datagram): number {
  const socket = base.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return socket;
  try {
    // The second is for root, the first for all others; neither must succeed.
    libc.setsockopt(socket, SOL_SOCKET, SO_SNDBUF, sendBuffer, 4);
    libc.setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, sendBuffer, 4);
    const { credentials } = datagram;
    const result = trySend(libc, socket, datagram, credentials);
    // The kernel may not let us speak for that process: then in our own name, which it adds by itself.
    const isRefused = result < 0 && result !== -EAGAIN && credentials !== undefined;
    return isRefused ? trySend(libc, socket, datagram) : result;
  } finally {
    base.close(socket);
  }
}

/** The real and the effective ID, by getresuid(2) or getresgid(2). */
function ids(get: (...ids: [Uint8Array, Uint8Array, Uint8Array]) => number): [real: number, effective: number] {
  const all = new Uint32Array(new ArrayBuffer(12));
  const [real, effective, saved] = [0, 4, 8].map((at) => new Uint8Array(all.buffer, at, 4));
  get(real, effective, saved);
  return [all[0], all[1]];
}

/**
 * The credentials that a message must carry: those of another process, or those that the kernel would not give by itself to a
 * program with another effective user.
 *
 * @param pid The process to speak for.
 * @param ownPid This one.
 */
export function credentialsFor(libc: MessageLibc, pid: number, ownPid: number): Credentials | undefined {
  const [uid, effectiveUid] = ids(libc.getresuid);
  const [gid, effectiveGid] = ids(libc.getresgid);
  const isPlain = pid === ownPid && uid === effectiveUid && gid === effectiveGid;
  return isPlain ? undefined : { pid, uid, gid };
}
