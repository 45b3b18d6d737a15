import { Fd3Error } from "../../src/errors.ts";
import { systemError } from "../../src/system_error.ts";
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

/**
 * Clears the way for a socket file: a dead one is deleted, anything else is left and in the way.
 *
 * @throws {Fd3Error} `EADDRINUSE` if somebody listens there or it is no socket, `ENOENT` if there is no such folder, `EACCES` if
 * the folder does not let us.
 * @param path Where the socket shall be.
 */
export async function clearTheWay(path: string): Promise<void> {
  const there = identity(path);
  // Asked here, since the runtimes do not agree: libuv makes EACCES of it.
  if (there === undefined && identity(path.slice(0, path.lastIndexOf("/") || 1)) === undefined) {
    throw new Fd3Error("ENOENT", `Cannot listen on ${path}: no such file or directory`);
  }
  if (there === undefined) return;
  if (!there.isSocket || !await isDead(path)) throw inUse(path);
  const fs = builtin<FsModule>("node:fs");
  // Another instance may have put its live socket there meanwhile. So the file is first moved aside, where it cannot change any
  // more, and asked again: what turns out to be alive is put back.
  const aside = sibling(path);
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return;
    throw systemError(`listen on ${path}`, error);
  }
  if (await isDead(aside)) return fs.unlinkSync(aside);
  fs.renameSync(aside, path);
  throw inUse(path);
}

/** A socket file that this process made. */
export interface OwnFile {
  /**
   * Runs what closes the listener, then deletes the file if it is still ours. The runtimes delete whatever is at the path by themselves;
   * a file that somebody else put there meanwhile is kept.
   */
  around(close: () => void): void;
}

/**
 * Takes note of the socket file that was just made, and sets its access mode.
 *
 * @param path Where it is.
 * @param mode Its access mode; the umask's if `undefined`.
 */
export function ownFile(path: string, mode: number | undefined): OwnFile {
  const fs = builtin<FsModule>("node:fs");
  const ours = identity(path)?.id;
  if (mode !== undefined) fs.chmodSync(path, mode);
  return {
    around(close) {
      const there = identity(path)?.id;
      if (there === undefined || there === ours) {
        close();
        if (there === ours && identity(path)?.id === ours) fs.unlinkSync(path);
        return;
      }
      const aside = sibling(path);
      fs.linkSync(path, aside);
      close();
      fs.renameSync(aside, path);
      // rename(2) does nothing where both are links of one file.
      if (identity(aside) !== undefined) fs.unlinkSync(aside);
    },
  };
}
