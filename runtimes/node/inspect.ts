import { AF_INET, AF_INET6, AF_UNIX } from "../../src/linux/constants.ts";
import { socketInode } from "../../src/linux/proc.ts";
import type { DescriptorKind } from "../../src/linux/socket.ts";
import type { Address } from "../../src/types.ts";
import { builtin } from "../shared/builtin.ts";
import type { FsModule } from "../shared/node_types.ts";

/** `__SO_ACCEPTCON` of a line in /proc/net/unix (include/uapi/linux/net.h). */
const ACCEPTCON = 0x10000;
/** TCP_LISTEN of a line in /proc/net/tcp. */
const LISTEN = "0A";
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;

function lines(path: string): string[] {
  try {
    return builtin<FsModule>("node:fs").readFileSync(path, "utf8").split("\n").slice(1);
  } catch {
    return [];
  }
}

function unixKind(inode: number): DescriptorKind | undefined {
  for (const line of lines("/proc/net/unix")) {
    const [, , , flags, type, , lineInode, ...path] = line.trim().split(/\s+/);
    if (Number(lineInode) !== inode) continue;
    const address: Address = { transport: "unix", path: path.join(" ") };
    const listening = (Number.parseInt(flags, 16) & ACCEPTCON) !== 0;
    return { is: "socket", family: AF_UNIX, type: Number.parseInt(type, 16), listening, address };
  }
  return undefined;
}

function inetKind(file: string, family: number, type: number, inode: number): DescriptorKind | undefined {
  for (const line of lines(`/proc/net/${file}`)) {
    const [, , , state, , , , , , lineInode] = line.trim().split(/\s+/);
    if (Number(lineInode) !== inode) continue;
    return { is: "socket", family, type, listening: type === SOCK_STREAM && state === LISTEN, address: undefined };
  }
  return undefined;
}

/**
 * The kind of a descriptor as /proc tells it, for a Node without libc. A socket of another network namespace (PrivateNetwork=)
 * does not stand there.
 *
 * @param fd The descriptor.
 */
export function describeByProc(fd: number): DescriptorKind | undefined {
  const fs = builtin<FsModule>("node:fs");
  try {
    if (!fs.fstatSync(fd).isSocket()) return { is: "not a socket" };
  } catch {
    return { is: "closed" };
  }
  let inode: number | undefined;
  try {
    inode = socketInode(fs.readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return undefined;
  }
  if (inode === undefined) return undefined;
  return unixKind(inode) ?? inetKind("tcp6", AF_INET6, SOCK_STREAM, inode) ??
    inetKind("tcp", AF_INET, SOCK_STREAM, inode) ?? inetKind("udp6", AF_INET6, SOCK_DGRAM, inode) ??
    inetKind("udp", AF_INET, SOCK_DGRAM, inode);
}

/** Whether a descriptor is open. Node sets FD_CLOEXEC on all of them when it starts. */
export function isOpen(fd: number): boolean {
  try {
    builtin<FsModule>("node:fs").fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

/** A file below /proc. */
export function readProc(path: string): string | undefined {
  try {
    return builtin<FsModule>("node:fs").readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
