import { isLack } from "../../src/free_fds.ts";
import { AF_INET, AF_INET6, AF_UNIX } from "../../src/linux/constants.ts";
import { socketInode } from "../../src/linux/proc.ts";
import type { DescriptorKind } from "../../src/linux/socket.ts";
import type { Address } from "../../src/types.ts";
import { builtin } from "../shared/common.ts";
import type { FsModule } from "../shared/node_types.ts";

/** `__SO_ACCEPTCON` of a line in /proc/net/unix (include/uapi/linux/net.h). */
const ACCEPTCON = 0x10000;
/** TCP_LISTEN of a line in /proc/net/tcp. */
const LISTEN = "0A";
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;

/** A line of a table below /proc/net: a socket's inode and kind. */
type Row = readonly [inode: number, kind: DescriptorKind];

function unixRow(line: string): Row {
  const [, , , flags, type, , inode, ...path] = line.trim().split(/\s+/);
  const address: Address = { transport: "unix", path: path.join(" ") };
  const listening = (Number.parseInt(flags, 16) & ACCEPTCON) !== 0;
  return [Number(inode), { is: "socket", family: AF_UNIX, type: Number.parseInt(type, 16), listening, address }];
}

function inetRow(family: number, type: number): (line: string) => Row {
  return (line) => {
    const [, , , state, , , , , , inode] = line.trim().split(/\s+/);
    const listening = type === SOCK_STREAM && state === LISTEN;
    return [Number(inode), { is: "socket", family, type, listening, address: undefined }];
  };
}

/** The tables below /proc/net. One may take the kernel 10 ms: a table is read when the one before does not have the socket. */
const tables: readonly (readonly [file: string, parse: (line: string) => Row])[] = [
  ["unix", unixRow],
  ["tcp6", inetRow(AF_INET6, SOCK_STREAM)],
  ["tcp", inetRow(AF_INET, SOCK_STREAM)],
  ["udp6", inetRow(AF_INET6, SOCK_DGRAM)],
  ["udp", inetRow(AF_INET, SOCK_DGRAM)],
];

/** What was read of sockets that this process had then, by inode; `undefined` where no table had them. */
const known = new Map<number, DescriptorKind | undefined>();

/** The inode of the socket at a descriptor. */
function inodeOf(fd: number | string): number | undefined {
  try {
    return socketInode(builtin<FsModule>("node:fs").readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return undefined;
  }
}

/** The numbers that are open; none where there is no descriptor to read them. */
function openNumbers(): string[] {
  try {
    return builtin<FsModule>("node:fs").readdirSync("/proc/self/fd");
  } catch {
    return [];
  }
}

function lines(path: string): string[] {
  try {
    return builtin<FsModule>("node:fs").readFileSync(path, "utf8").trimEnd().split("\n").slice(1);
  } catch {
    return [];
  }
}

/** Reads the tables until they have a socket, and remembers of each all that is ours: where many are passed, each would cost as much. */
function lookUp(inode: number): void {
  const ours = new Set([inode, ...openNumbers().map(inodeOf)]);
  for (const other of known.keys()) if (other === inode || !ours.has(other)) known.delete(other);
  for (const [file, parse] of tables) {
    for (const line of lines(`/proc/net/${file}`)) {
      const [found, kind] = parse(line);
      if (ours.has(found)) known.set(found, kind);
    }
    if (known.has(inode)) return;
  }
  // None has them: they are of another network namespace.
  for (const other of ours) if (other !== undefined && !known.has(other)) known.set(other, undefined);
}

/** Whether what is known of a socket may be true no more: it may listen by now. */
function mayHaveChanged(kind: DescriptorKind | undefined): boolean {
  return kind?.is === "socket" && kind.type === SOCK_STREAM && !kind.listening;
}

/**
 * The kind of a descriptor as /proc tells it, for a Node without libc. A socket of another network namespace (PrivateNetwork=)
 * does not stand there.
 *
 * @param fd The descriptor.
 */
export function describeByProc(fd: number): DescriptorKind | undefined {
  try {
    if (!builtin<FsModule>("node:fs").fstatSync(fd).isSocket()) return { is: "not a socket" };
  } catch {
    return { is: "closed" };
  }
  const inode = inodeOf(fd);
  if (inode === undefined) return undefined;
  if (!known.has(inode) || mayHaveChanged(known.get(inode))) lookUp(inode);
  return known.get(inode);
}

/** Whether so many descriptors can be opened. */
export function canOpen(count: number): boolean | undefined {
  const { openSync, closeSync } = builtin<FsModule>("node:fs");
  const fds: number[] = [];
  try {
    while (fds.length < count) fds.push(openSync("/", "r"));
    return true;
  } catch (error) {
    return isLack(error) ? false : undefined;
  } finally {
    for (const fd of fds) closeSync(fd);
  }
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

/** Whether this is not the main thread, as /proc tells it (`PID/task/TID`): node:worker_threads takes Node longer to load than all the rest. */
export function isWorker(): boolean {
  try {
    const [pid, , thread] = builtin<FsModule>("node:fs").readlinkSync("/proc/thread-self").split("/");
    return thread !== pid;
  } catch {
    return false;
  }
}
