import { Fd3Error } from "../../src/errors.ts";
import { O_CLOEXEC, O_PATH } from "../../src/linux/constants.ts";
import { cString, type Libc } from "../../src/linux/libc.ts";
import { quoted } from "../../src/quoted.ts";
import { errnoError } from "../../src/system_error.ts";
import type { FileAccess } from "../../src/types.ts";
import { builtin } from "./common.ts";
import type { FsModule } from "./node_types.ts";

// The mode of a socket file, and its group. Another user may be able to write to its folder, so nothing here follows a path twice: the mode is
// there from bind(2) on, by the umask, and what must be changed later is held by a descriptor first.

const fs = () => builtin<FsModule>("node:fs");

/** The number of a group. */
export function groupId(group: string | number): number {
  if (typeof group === "number") return group;
  const line = fs().readFileSync("/etc/group", "utf8").split("\n").find((entry) => entry.startsWith(`${group}:`));
  const id = Number(line?.split(":")[2] ?? NaN);
  if (Number.isInteger(id)) return id;
  throw new Fd3Error("EINVAL", `Cannot find the group ${quoted(group)}: /etc/group has none; give its number`);
}

interface Umask {
  umask(mask: number): number;
}

/** Sets the umask, and gives the one before: of libc, else of the runtime, which may lack the permission for it. */
function setUmask(libc: Libc | undefined, mask: number): number {
  if (libc !== undefined) return libc.umask(mask);
  const { Deno: deno, process } = globalThis as { Deno?: Umask; process?: Umask };
  return (deno ?? process!).umask(mask);
}

/**
 * Calls what binds a socket file in its synchronous part, so that the file has this mode from its first moment on.
 *
 * @param mode `undefined` leaves it to the umask.
 */
export function bindWithMode<T>(libc: Libc | undefined, mode: number | undefined, bind: () => T): T {
  if (mode === undefined) return bind();
  let before: number;
  try {
    before = setUmask(libc, 0o777 & ~mode);
  } catch (error) {
    // A worker of Node's has no umask of its own: the mode is set afterwards there.
    if ((error as { code?: unknown }).code !== "ERR_WORKER_UNSUPPORTED_OPERATION") throw error;
    return bind();
  }
  try {
    return bind();
  } finally {
    setUmask(libc, before);
  }
}

/** Opens the file itself, be it what it may: no symbolic link is followed, and no right to it is needed. */
function openHandle(path: string): number {
  // Of these O_NOFOLLOW alone is another number on arm64.
  return fs().openSync(path, O_PATH | fs().constants.O_NOFOLLOW | O_CLOEXEC);
}

function change(libc: Libc | undefined, fd: number, { mode, group }: FileAccess): void {
  const path = `/proc/self/fd/${fd}`;
  const check = (call: string, result: number) => {
    if (result < 0) throw errnoError(result, call);
  };
  if (libc === undefined) {
    const { getuid } = (globalThis as unknown as { process: { getuid(): number } }).process;
    if (group !== undefined) fs().chownSync(path, getuid(), groupId(group));
    if (mode !== undefined) fs().chmodSync(path, mode);
    return;
  }
  if (group !== undefined) check("chown", libc.chown(cString(path), -1, groupId(group)));
  if (mode !== undefined) check("chmod", libc.chmod(cString(path), mode));
}

/**
 * Gives a socket file its group, and the mode with it, which it must not have had before: its first group would have had those rights.
 *
 * @throws {Fd3Error} `EADDRINUSE` if it is no socket any more: somebody else put another file there.
 */
export function setAccess(libc: Libc | undefined, path: string, access: FileAccess): void {
  const fd = openHandle(path);
  try {
    if (!fs().fstatSync(fd).isSocket()) {
      throw new Fd3Error("EADDRINUSE", `Cannot listen on ${path}: somebody else replaced the socket`);
    }
    change(libc, fd, access);
  } finally {
    fs().closeSync(fd);
  }
}

/** What the file is bound with: of a mode whose group is set later, all but what the group may. */
export function firstMode({ mode, group }: FileAccess): number | undefined {
  return mode === undefined || group === undefined ? mode : mode & 0o707;
}

/** Whether a file has this mode. */
export function hasMode(path: string, mode: number): boolean {
  const stats = fs().lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats !== undefined && (Number(stats.mode) & 0o777) === mode;
}
