import { PIDFS_MAGIC, SYS_PIDFD_OPEN } from "./constants.ts";
import type { Libc } from "./libc.ts";
import { readText } from "./proc.ts";

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
