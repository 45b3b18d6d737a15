import { type FallbackAddress, formatAddress } from "../../src/activation/address.ts";
import { Fd3Error } from "../../src/errors.ts";
import { systemError } from "../../src/system_error.ts";
import { withCode } from "./bun_error.ts";
import { builtin } from "./builtin.ts";
import type { FsModule, NetModule } from "./node_types.ts";

// Only a fallback comes here, never an inherited socket: its file is the service manager's.

let counter = 0;

function sibling(path: string): string {
  const { process } = globalThis as unknown as { process: { pid: number } };
  return `${path}.fd3-${process.pid}-${counter++}`;
}

/** What a path is, by device and inode; `undefined` if there is nothing. */
function identity(path: string): { id: string; isSocket: boolean } | undefined {
  const stats = builtin<FsModule>("node:fs").lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && { id: `${stats.dev}:${stats.ino}`, isSocket: stats.isSocket() };
}

/** Whether somebody listens there. Only a refusal proves that nobody does: a full queue or a missing right does not. */
function isDead(path: string): Promise<boolean> {
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

/**
 * Clears the way for a socket file: a dead one is deleted, anything else is left and in the way.
 *
 * @throws {Fd3Error} `EADDRINUSE` if somebody listens there or it is no socket, `ENOENT` if there is no such folder, `EACCES` if
 * the folder does not let us.
 * @param path Where the socket shall be.
 */
async function clearTheWay(path: string): Promise<void> {
  const there = identity(path);
  if (there === undefined) return checkFolder(path);
  if (!there.isSocket || !await isDead(path)) throw inUse(path);
  const fs = builtin<FsModule>("node:fs");
  // Another instance may have put its live socket there meanwhile. So the file is first moved aside, where it cannot change any
  // more, and asked again: what turns out to be alive is put back.
  const aside = sibling(path);
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return;
    throw error;
  }
  if (await isDead(aside)) return fs.unlinkSync(aside);
  fs.renameSync(aside, path);
  throw inUse(path);
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
    attempt(() => fs.linkSync(path, aside));
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

/**
 * Opens a fallback address by a runtime's own way: a dead socket file is replaced, the mode set, and the listener's own method for closing
 * deletes the file if it is still ours. Where there are several, the first that is called does.
 *
 * @throws {Fd3Error} What the runtime says, with the address; and see {@linkcode clearTheWay}.
 * @param address Where to listen.
 * @param mode Access mode of a socket file; the umask's if `undefined`.
 * @param methods The name of the listener's method that closes it, or the names; the last one closes it whole.
 * @param open The runtime's own way.
 */
export async function openFallback<L extends object>(
  address: FallbackAddress,
  mode: number | undefined,
  methods: (keyof L & string) | readonly (keyof L & string)[],
  open: () => L | Promise<L>,
): Promise<L> {
  const path = address.transport === "unix" && address.path.startsWith("/") ? address.path : undefined;
  let listener: L | undefined;
  try {
    if (path !== undefined) await clearTheWay(path);
    listener = await open();
    if (path === undefined) return listener;
    const around = guardFile(path);
    for (const method of [methods].flat()) guardMethod(listener, method, around);
    if (mode !== undefined) builtin<FsModule>("node:fs").chmodSync(path, mode);
    return listener;
  } catch (error) {
    if (listener !== undefined) (listener as Record<string, Close>)[[methods].flat().at(-1)!]();
    throw systemError(`listen on ${formatAddress(address)}`, await withCode(error, address));
  }
}
