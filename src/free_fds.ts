import { Fd3Error } from "./errors.ts";
import { hasLibc, type Host } from "./host.ts";
import { EMFILE, O_CLOEXEC, O_PATH } from "./linux/constants.ts";
import { cString, type Libc } from "./linux/libc.ts";
import { texts } from "./system_error.ts";

/**
 * How many descriptors must be free where something begins to listen: for a placeholder and its duplicate, for files below /proc, for the code
 * that is loaded (Node 20 opens all files of it at once, and does not try again), and for Deno's signals, which end the process where they get
 * none. Clients want as many at once.
 */
const neededFds = 12;

function canOpenByLibc(libc: Libc, count: number): boolean | undefined {
  const path = cString("/");
  const fds: number[] = [];
  let fd = 0;
  while (fds.length < count && (fd = libc.open(path, O_PATH | O_CLOEXEC, 0)) >= 0) fds.push(fd);
  for (const one of fds) libc.close(one);
  if (fds.length === count) return true;
  return fd === -EMFILE ? false : undefined;
}

/** Whether so many more descriptors can be opened; `undefined` where nothing tells. */
export function canOpen(host: Host, count: number): boolean | undefined {
  const told = host.canOpen?.(count);
  if (told !== undefined) return told;
  const libc = host.libc();
  return hasLibc(libc) ? canOpenByLibc(libc, count) : undefined;
}

/** Whether an error, or what is behind it, is that no descriptor was free. */
export function isLack(error: unknown): boolean {
  const { code, message, cause } = Object(error) as { code?: unknown; message?: unknown; cause?: unknown };
  if (code === "EMFILE" || /\bEMFILE\b|\(os error 24\)/.test(String(message))) return true;
  return cause !== undefined && isLack(cause);
}

/** What an error is that was thrown for lack of descriptors, whatever the runtime made of it; any other is given back as it is. */
function lackOf(action: string, error: unknown): unknown {
  if (!isLack(error) || (error instanceof Fd3Error && error.code === "EMFILE")) return error;
  return new Fd3Error("EMFILE", `Cannot ${action}: ${texts.EMFILE}`, { cause: error });
}

/**
 * Loads or opens something. Where fewer descriptors are free than that may take, it is not begun: there is no telling what a runtime does that
 * gets none half-way.
 *
 * @throws {Fd3Error} `EMFILE`.
 * @param action What this is, for errors.
 * @param open Does it; what it throws for lack of descriptors becomes that, too.
 */
export async function withFreeFds<T>(host: Host, action: string, open: () => T | Promise<T>): Promise<T> {
  if (canOpen(host, neededFds) === false) throw new Fd3Error("EMFILE", `Cannot ${action}: ${texts.EMFILE}`);
  try {
    return await open();
  } catch (error) {
    throw lackOf(action, error);
  }
}
