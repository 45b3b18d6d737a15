import type { ServiceHost } from "../../src/service/host.ts";
import { hasLibc } from "../../src/host.ts";
import { ENOENT, O_CLOEXEC, O_PATH } from "../../src/linux/constants.ts";
import { cString } from "../../src/linux/libc.ts";
import { makedev } from "../../src/linux/makedev.ts";
import { builtin } from "../shared/builtin.ts";
import { openDenoFunctions } from "./libc.ts";
import { env, libc as openLibc } from "./process.ts";
import { deno, isGranted } from "./types.ts";

const AT_EMPTY_PATH = 0x1000;
const STATX_INO = 0x100;

const isNamed = (error: unknown, name: string) => (error as Error).name === name;

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
      const libc = openLibc();
      if (!hasLibc(libc)) throw error;
      const fd = libc.open(cString(path), O_PATH | O_CLOEXEC, 0);
      if (fd >= 0) libc.close(fd);
      else if (fd !== -ENOENT) throw error;
      return fd >= 0;
    }
  },
};
