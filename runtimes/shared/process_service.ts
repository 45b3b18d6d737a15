import type { ServiceHost } from "../../src/service/host.ts";
import { builtin } from "./common.ts";
import { processGlobal } from "./process_host.ts";

/** The parts of `node:fs` that a service's surroundings take. */
interface Fs {
  writeSync(fd: number, bytes: Uint8Array): number;
  fstatSync(fd: number, options: { bigint: true }): { dev: bigint; ino: bigint };
  readFileSync(path: string): Uint8Array;
  lstatSync(path: string): unknown;
}

const fs = () => builtin<Fs>("node:fs");

/** How often to try while a pipe is full, and how long to wait in between. */
const [tries, napMs] = [1000, 1];

function nap(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, napMs);
}

/** Not by `process.stderr`, which takes Bun 8 ms to make, and which fails later where nobody listens for it. */
function writeStderr(text: string): void {
  let bytes: Uint8Array = new TextEncoder().encode(text);
  for (let left = tries; bytes.length > 0 && left > 0; left--) {
    try {
      bytes = bytes.subarray(fs().writeSync(2, bytes));
    } catch (error) {
      // Somebody made it non-blocking, and nobody reads fast enough.
      if ((error as { code?: string }).code !== "EAGAIN") return;
      nap();
    }
  }
}

/** A service's surroundings on Node and Bun. */
export const processService: ServiceHost = {
  env: (name) => processGlobal().env[name],
  writeStderr,
  stderrId() {
    const { dev, ino } = fs().fstatSync(2, { bigint: true });
    return `${dev}:${ino}`;
  },
  readFile(path) {
    try {
      // A copy of its own: a small one of Node's lies in the memory of others.
      return new Uint8Array(fs().readFileSync(path));
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return undefined;
      throw error;
    }
  },
  exists(path) {
    try {
      fs().lstatSync(path);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return false;
      throw error;
    }
  },
};
