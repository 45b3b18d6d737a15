import { Fd3Error } from "../errors.ts";
import { hasLibc, type Host } from "../host.ts";
import { F_GETFD, F_SETFD, FD_CLOEXEC } from "../linux/constants.ts";
import { ownPidfdId } from "../linux/proc.ts";
import { quoted } from "../quoted.ts";
import type { ListenFd } from "../types.ts";
import { parseInt32, parsePid, parseUint64 } from "./number.ts";

/** The first descriptor that is passed (sd-daemon.h). */
const SD_LISTEN_FDS_START = 3;

/** The variables of sd_listen_fds(3), in the order in which they are read. */
export const variables = ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"] as const;

/** What the environment said, before anything of it was judged. */
export type Environment = Partial<Record<(typeof variables)[number], string>>;

const maxCount = 2 ** 31 - 1 - SD_LISTEN_FDS_START;

/**
 * How many descriptors a process has at most where fs.nr_open (proc(5)) is what it is by default; more, where an administrator wants it so and
 * RLIMIT_NOFILE follows. Only where nothing can tell which are open is a count held against it.
 */
const mostFds = 2 ** 20;

/** LISTEN_FDNAMES: split at each colon, where a backslash takes the next character literally (strv_split_full()). */
export function parseNames(text: string): string[] {
  const names = [""];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ":") {
      names.push("");
      continue;
    }
    if (text[i] === "\\" && ++i === text.length) {
      throw new Fd3Error("EINVAL", `Cannot read LISTEN_FDNAMES: ${quoted(text)} ends in a backslash`);
    }
    names[names.length - 1] += text[i];
  }
  return names;
}

function isOurs(env: Environment, host: Host): boolean {
  if (env.LISTEN_PID === undefined) return false;
  if (parsePid("LISTEN_PID", env.LISTEN_PID) !== host.pid()) return false;
  if (env.LISTEN_PIDFDID === undefined) return true;
  const id = parseUint64("LISTEN_PIDFDID", env.LISTEN_PIDFDID);
  const libc = host.libc();
  // A kernel before 6.9 has no such ids, and without FFI nobody tells ours: then LISTEN_PID decides alone, as in libsystemd.
  const own = hasLibc(libc) ? ownPidfdId(libc, host.pid()) : undefined;
  return own === undefined || own === id;
}

function notOpen(fd: number): Fd3Error {
  return new Fd3Error("EBADF", `Cannot use fd ${fd}: LISTEN_FDS announces it, and it is not open`);
}

/** Sets FD_CLOEXEC as sd_listen_fds() does, which also tells whether the descriptor is open. */
function claim(fd: number, host: Host): void {
  const open = host.isOpen?.(fd);
  if (open === true) return;
  const libc = open === undefined ? host.libc() : undefined;
  if (libc !== undefined && !hasLibc(libc)) return;
  const flags = libc === undefined ? -1 : libc.fcntl(fd, F_GETFD, 0);
  if (flags < 0) throw notOpen(fd);
  if ((flags & FD_CLOEXEC) === 0) libc!.fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

/** Claims so many: up to the first that is not open, which is no further than the table of descriptors goes. */
function claimAll(count: number, host: Host): void {
  const end = SD_LISTEN_FDS_START + count;
  if (host.isOpen?.(SD_LISTEN_FDS_START) === undefined && !hasLibc(host.libc())) {
    if (end > mostFds) throw notOpen(end - 1);
    return;
  }
  for (let fd = SD_LISTEN_FDS_START; fd < end; fd++) claim(fd, host);
}

/**
 * sd_listen_fds_with_names(3), in libsystemd's own order of checks: the first fault is the one that is reported.
 *
 * @throws {Fd3Error} `EINVAL`, `ERANGE` or `EBADF`, where libsystemd returns these.
 * @param env The variables.
 * @param host The runtime.
 */
export function readListenFds(env: Environment, host: Host): ListenFd[] {
  const names = env.LISTEN_FDNAMES === undefined ? undefined : parseNames(env.LISTEN_FDNAMES);
  if (!isOurs(env, host) || env.LISTEN_FDS === undefined) return [];
  const count = parseInt32("LISTEN_FDS", env.LISTEN_FDS);
  if (count <= 0 || count > maxCount) {
    throw new Fd3Error("EINVAL", `Cannot read LISTEN_FDS: ${count} is not between 1 and ${maxCount}`);
  }
  claimAll(count, host);
  if (names !== undefined && names.length !== count) {
    throw new Fd3Error("EINVAL", `Cannot read LISTEN_FDNAMES: it has ${names.length} names for ${count} descriptors`);
  }
  return Array.from({ length: count }, (_, i) => ({ fd: SD_LISTEN_FDS_START + i, name: names?.[i] ?? "unknown" }));
}
