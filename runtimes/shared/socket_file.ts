import { type FallbackAddress, formatAddress } from "../../src/activation/address.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import {
  AF_UNIX,
  EAGAIN,
  ECONNREFUSED,
  LOCK_EX,
  LOCK_NB,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from "../../src/linux/constants.ts";
import { cString, type Libc } from "../../src/linux/libc.ts";
import { encodeUnix } from "../../src/linux/sockaddr.ts";
import { systemError } from "../../src/system_error.ts";
import type { FileAccess } from "../../src/types.ts";
import { withCode } from "./bun_error.ts";
import { builtin } from "./common.ts";
import { bindWithMode, firstMode, groupId, hasMode, setAccess } from "./file_access.ts";
import type { FsModule, NetModule } from "./node_types.ts";

// Only a fallback comes here, never an inherited socket: its file is the service manager's.

/** A name beside a file that nobody can have taken. */
function sibling(path: string): string {
  return `${path.slice(0, path.lastIndexOf("/"))}/.fd3-${crypto.randomUUID()}`;
}

/** What a path is, by device and inode; `undefined` if there is nothing. */
function identity(path: string): { id: string; isSocket: boolean } | undefined {
  const stats = builtin<FsModule>("node:fs").lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && { id: `${stats.dev}:${stats.ino}`, isSocket: stats.isSocket() };
}

/** Whether nobody has the socket of a file: only a refusal proves it, a full queue, another type or a missing right does not. */
function isDead(libc: Libc | undefined, path: string): boolean | Promise<boolean> {
  return libc === undefined ? isDeadByRuntime(path) : isDeadByLibc(libc, path);
}

/** Bun's own connect says ECONNREFUSED for EAGAIN and EPROTOTYPE, too. */
function isDeadByLibc(libc: Libc, path: string): boolean {
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | O_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const address = encodeUnix(path);
  const result = libc.connect(fd, address, address.length);
  libc.close(fd);
  return result === -ECONNREFUSED;
}

function isDeadByRuntime(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = builtin<NetModule>("node:net").connect(path);
    const settle = (dead: boolean) => {
      socket.destroy();
      resolve(dead);
    };
    socket.once("connect", () => settle(false));
    socket.once("error", (error: { code?: string }) => settle(error.code === "ECONNREFUSED"));
  });
}

function inUse(path: string): Fd3Error {
  return new Fd3Error("EADDRINUSE", `Cannot listen on ${path}: address already in use`);
}

/** Asked here, since the runtimes do not agree: libuv makes EACCES of it. */
function checkFolder(path: string): void {
  let folder: unknown = "unknown";
  try {
    folder = identity(path.slice(0, path.lastIndexOf("/") || 1));
  } catch {
    // It may not be looked at: then the runtime says what is wrong, if anything is.
  }
  if (folder === undefined) throw new Fd3Error("ENOENT", `Cannot listen on ${path}: no such file or directory`);
}

/** How long to wait for another that starts at the same address, and how often to look, in milliseconds. */
const [lockMs, lookMs] = [5000, 5];

/**
 * Lets one at a time look whether a file is dead, replace it and listen: a socket that is bound and does not listen yet looks dead. The lock is
 * on the folder (flock(2)), so that no file of it is left, and it ends with the process. Whoever may read the folder may hold it as well, so
 * after a time this goes on without. Without libc there is none.
 *
 * @returns What gives it up.
 */
async function lockFolder(libc: Libc | undefined, path: string): Promise<() => void> {
  const folder = path.slice(0, path.lastIndexOf("/") || 1);
  const fd = libc === undefined ? -1 : libc.open(cString(folder), O_RDONLY | O_CLOEXEC, 0);
  if (libc === undefined || fd < 0) return () => {};
  for (let left = lockMs / lookMs; left > 0 && libc.flock(fd, LOCK_EX | LOCK_NB) === -EAGAIN; left--) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  return () => void libc.close(fd);
}

/**
 * Clears the way for a socket file: a dead one is deleted, anything else is left and in the way.
 *
 * @throws {Fd3Error} `EADDRINUSE` if somebody has it or it is no socket, `ENOENT` if there is no such folder, `EACCES` if the folder does not
 * let us.
 * @param path Where the socket shall be.
 */
async function clearTheWay(libc: Libc | undefined, path: string): Promise<void> {
  const there = identity(path);
  if (there === undefined) return checkFolder(path);
  if (!there.isSocket || !await isDead(libc, path)) throw inUse(path);
  // Where there is no lock, another instance may have put its socket there meanwhile.
  if (identity(path)?.id !== there.id) throw inUse(path);
  builtin<FsModule>("node:fs").unlinkSync(path);
}

/** Runs what closes a listener, and sees to its socket file. */
type Around = (close: () => void) => void;

/**
 * The runtimes delete whatever is at the path when they close. So the file that was just made is remembered: only that one is deleted, and one
 * that somebody else put there meanwhile is kept.
 */
function guardFile(path: string): Around {
  const fs = builtin<FsModule>("node:fs");
  let remembered = identity(path)?.id;
  return (close) => {
    const ours = remembered;
    // Once it is deleted, another file may get the same inode.
    remembered = undefined;
    const there = attempt(() => identity(path)?.id);
    if (there === undefined || there === ours) {
      close();
      attempt(() => ours !== undefined && identity(path)?.id === ours && fs.unlinkSync(path));
      return;
    }
    const aside = sibling(path);
    // Of another user's file there may be no second link (fs.protected_hardlinks, proc_sys_fs(5)): it is away for that moment, then.
    if (attempt(() => (fs.linkSync(path, aside), true)) === undefined) attempt(() => fs.renameSync(path, aside));
    close();
    attempt(() => fs.renameSync(aside, path));
    // rename(2) does nothing where both are links of one file.
    attempt(() => identity(aside) !== undefined && fs.unlinkSync(aside));
  };
}

/** A daemon that gave up its rights may not delete its file: it is left, dead, and the next start replaces it. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** Any method of a listener's that closes it. */
type Close = (...args: unknown[]) => unknown;

function guardMethod(listener: object, method: string, around: Around): void {
  const close = (listener as Record<string, Close>)[method].bind(listener);
  const value: Close = (...args) => {
    let result: unknown;
    around(() => result = close(...args));
    return result;
  };
  Object.defineProperty(listener, method, { configurable: true, writable: true, value });
}

/** Asked before anything is bound. */
function checkGroup(host: Host, libc: Libc | undefined, group: string | number): void {
  groupId(group);
  // Files below /proc take every permission there is.
  if (libc !== undefined || host.runtime !== "Deno") return;
  throw new Fd3Error("ERR_FD3_FFI", "Cannot give a socket file to a group: Deno needs --allow-ffi");
}

/** Opens a socket at a path. */
async function openPath<L>(
  libc: Libc | undefined,
  path: string,
  access: FileAccess,
  open: () => L | Promise<L>,
): Promise<L> {
  const unlock = await lockFolder(libc, path);
  try {
    await clearTheWay(libc, path);
    return await bindWithMode(libc, firstMode(access), open);
  } finally {
    unlock();
  }
}

/**
 * Opens a fallback address by a runtime's own way: a dead socket file is replaced, its mode and group set, and the listener's own method for
 * closing deletes the file if it is still ours. Where there are several, the first that is called does.
 *
 * @throws {Fd3Error} What the runtime says, with the address; and see {@linkcode clearTheWay}.
 * @param host The runtime.
 * @param address Where to listen.
 * @param access Mode and group of a socket file.
 * @param methods The name of the listener's method that closes it, or the names; the last one closes it whole.
 * @param open The runtime's own way, which binds before it returns.
 */
export async function openFallback<L extends object>(
  host: Host,
  address: FallbackAddress,
  access: FileAccess,
  methods: (keyof L & string) | readonly (keyof L & string)[],
  open: () => L | Promise<L>,
): Promise<L> {
  const path = address.transport === "unix" && address.path.startsWith("/") ? address.path : undefined;
  const found = path === undefined ? undefined : host.libc();
  const libc = found !== undefined && hasLibc(found) ? found : undefined;
  let listener: L | undefined;
  try {
    if (path === undefined) return await open();
    const { mode, group } = access;
    if (group !== undefined) checkGroup(host, libc, group);
    listener = await openPath(libc, path, access, open);
    const around = guardFile(path);
    for (const method of [methods].flat()) guardMethod(listener, method, around);
    // A runtime may have bound it later than it was asked.
    if (group !== undefined || (mode !== undefined && !hasMode(path, mode))) setAccess(libc, path, access);
    return listener;
  } catch (error) {
    if (listener !== undefined) (listener as Record<string, Close>)[[methods].flat().at(-1)!]();
    throw systemError(`listen on ${formatAddress(address)}`, await withCode(host, error, address));
  }
}
