import { O_CLOEXEC, O_RDONLY, PIDFS_MAGIC, SYS_PIDFD_OPEN } from "./constants.ts";
import { cString, type Libc } from "./libc.ts";

const decoder = new TextDecoder();

/**
 * A small file below /proc, through libc: Deno's own API wants every permission there is for it. `undefined` where not all of it can
 * be read.
 */
export function readText(libc: Libc, path: string): string | undefined {
  const fd = libc.open(cString(path), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const buffer = new Uint8Array(16384);
  let text = "";
  let n: number;
  while ((n = libc.read(fd, buffer, buffer.length)) > 0) {
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
  libc.close(fd);
  text += decoder.decode();
  return n < 0 ? undefined : text;
}

/** Where a descriptor points, such as `socket:[1234]` or `anon_inode:[eventpoll]`; `undefined` if it is closed. */
export function descriptorTarget(libc: Libc, fd: number): string | undefined {
  const buffer = new Uint8Array(256);
  const n = libc.readlink(cString(`/proc/self/fd/${fd}`), buffer, buffer.length);
  return n < 0 ? undefined : decoder.decode(buffer.subarray(0, n));
}

/** What the smallest table of descriptors has room for (Linux, include/linux/fdtable.h, NR_OPEN_DEFAULT). */
const smallestTable = 64;

/** How many numbers the table of descriptors has: all that are open are below (proc(5), FDSize). 0 where /proc cannot be read. */
export function tableSize(libc: Libc): number {
  const size = /^FDSize:\s*(\d+)$/m.exec(readText(libc, "/proc/self/status") ?? "");
  return size === null ? 0 : Number(size[1]);
}

/** The numbers that a descriptor may have, from 3 to the end of the table. A search that ends early does not ask for that. */
export function* descriptorNumbers(libc: Libc): Generator<number, void, undefined> {
  for (let fd = 3, end = Infinity; fd < end; fd++) {
    if (fd === smallestTable && (end = tableSize(libc)) <= fd) return;
    yield fd;
  }
}

/** The inode in `socket:[1234]`. */
export function socketInode(target: string | undefined): number | undefined {
  const match = /^socket:\[(\d+)\]$/.exec(target ?? "");
  return match === null ? undefined : Number(match[1]);
}

/** How an epoll set watches a descriptor: one `tfd:` line of its fdinfo (Linux, fs/eventpoll.c). */
export interface EpollEntry {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
  readonly inode: number;
}

/** The `tfd:` lines of `/proc/self/fdinfo/<epoll fd>` that are about one descriptor. */
export function parseEpollInfo(text: string, fd: number): EpollEntry[] {
  const line = new RegExp(
    `^tfd:\\s*${fd}\\s+events:\\s*([0-9a-f]+)\\s+data:\\s*([0-9a-f]+)\\s.*\\bino:([0-9a-f]+)`,
    "gm",
  );
  return [...text.matchAll(line)].map(([, events, data, inode]) => ({
    fd,
    events: Number.parseInt(events, 16),
    data: BigInt(`0x${data}`),
    inode: Number.parseInt(inode, 16),
  }));
}

/**
 * The id of our own process that LISTEN_PIDFDID is compared with: the inode of its pidfd, unique until the next boot.
 *
 * @param libc libc.
 * @param pid Our own process ID.
 * @returns `undefined` on a kernel before 6.9, whose pidfds all share one inode.
 */
export function ownPidfdId(libc: Libc, pid: number): bigint | undefined {
  const fd = libc.syscall(SYS_PIDFD_OPEN, pid, 0);
  if (fd < 0) return undefined;
  try {
    const statfs = new Uint8Array(256);
    if (libc.fstatfs(fd, statfs) < 0) return undefined;
    if (new DataView(statfs.buffer).getUint32(0, true) !== PIDFS_MAGIC) return undefined;
    const info = readText(libc, `/proc/self/fdinfo/${fd}`);
    const inode = /^ino:\s*(\d+)$/m.exec(info ?? "");
    return inode === null ? undefined : BigInt(inode[1]);
  } finally {
    libc.close(fd);
  }
}
