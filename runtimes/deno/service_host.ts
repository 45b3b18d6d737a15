import type { ServiceHost } from "../../src/service/host.ts";
import { hasLibc } from "../../src/host.ts";
import { ENOENT, O_CLOEXEC, O_PATH } from "../../src/linux/constants.ts";
import { cString } from "../../src/linux/libc.ts";
import { builtin } from "../shared/common.ts";
import { openDenoFunctions, openDenoLibc } from "./libc.ts";
import { deno, isGranted } from "./types.ts";
import { Fd3Error } from "../../src/errors.ts";
import { lazy } from "../../src/lazy.ts";

/** What is read together, to be allowed at once. */
const variables: readonly string[] = [
  "LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES",
  "NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID",
];

/** An environment variable, or the permission that is missing. */
export function env(name: string): string | undefined {
  try {
    return deno().env.get(name);
  } catch (cause) {
    const together = variables.find((names) => names.split(",").includes(name)) ?? name;
    throw new Fd3Error("EACCES", `Cannot read ${name}: Deno needs --allow-env=${together}`, { cause });
  }
}

/** libc, opened on the first call. */
export const libc: ReturnType<typeof lazy<ReturnType<typeof openDenoLibc>>> = lazy(openDenoLibc);

const AT_EMPTY_PATH = 0x1000;
const STATX_INO = 0x100;

const isNamed = (error: unknown, name: string) => (error as Error).name === name;

/** A device number as stat(2) has it, of its parts as statx(2) has them: glibc's gnu_dev_makedev(). */
export function makedev(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (high & 0xfffn) << 8n | low & 0xffn | (low & ~0xffn) << 12n | (high & ~0xfffn) << 32n;
}

/** By statx(2), whose structure is the same on every processor. */
function stderrIdByLibc(): string | undefined {
  const libc = openDenoFunctions({ statx: ["i32", "ptr", "i32", "i32", "ptr"] } as const);
  if ("missing" in libc) return undefined;
  const statx = new Uint8Array(256);
  if (libc.statx(2, cString(""), AT_EMPTY_PATH, STATX_INO, statx) < 0) return undefined;
  const view = new DataView(statx.buffer);
  return `${makedev(view.getUint32(136, true), view.getUint32(140, true))}:${view.getBigUint64(32, true)}`;
}

/** By node:fs, which needs no permission for that, but 20 ms to load. */
function stderrIdByNode(): string {
  const fs = builtin<{ fstatSync(fd: number, options: { bigint: true }): { dev: bigint; ino: bigint } }>("node:fs");
  const { dev, ino } = fs.fstatSync(2, { bigint: true });
  return `${dev}:${ino}`;
}

/** A service's surroundings on Deno. */
export const serviceHost: ServiceHost = {
  env(name) {
    // On a terminal, Deno would stop the program to ask for what only the prefix of a log line needs.
    if (name === "JOURNAL_STREAM" && !isGranted({ name: "env", variable: name })) return undefined;
    return env(name);
  },
  writeStderr(text) {
    let bytes = new TextEncoder().encode(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(deno().stderr.writeSync(bytes));
    } catch {
      // Nobody reads it.
    }
  },
  stderrId: () => stderrIdByLibc() ?? stderrIdByNode(),
  readFile(path) {
    try {
      return deno().readFileSync(path);
    } catch (error) {
      if (isNamed(error, "NotFound")) return undefined;
      throw error;
    }
  },
  exists(path) {
    try {
      deno().lstatSync(path);
      return true;
    } catch (error) {
      if (isNamed(error, "NotFound")) return false;
      const found = libc();
      if (!hasLibc(found)) throw error;
      const fd = found.open(cString(path), O_PATH | O_CLOEXEC, 0);
      if (fd >= 0) found.close(fd);
      else if (fd !== -ENOENT) throw error;
      return fd >= 0;
    }
  },
};
