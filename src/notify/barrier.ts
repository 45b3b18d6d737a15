import { Fd3Error } from "../errors.ts";
import { hasLibc } from "../host.ts";
import { O_CLOEXEC } from "../linux/constants.ts";
import type { Libc } from "../linux/libc.ts";
import { errnoError, systemError } from "../system_error.ts";
import { variable } from "./manager.ts";
import type { NotifyHost } from "./host.ts";
import { deliver } from "./transport.ts";
import type { NotifyEnvOptions } from "./types.ts";

const action = "wait for the service manager";
const lines = ["BARRIER=1"];
/** How long the event loop has between two looks, at most. */
const longestNapMs = 20;

/** A pipe, both of whose ends are closed in children. */
function openPipe(host: NotifyHost): { base: Libc; readEnd: number; writeEnd: number } {
  const base = host.libc();
  const libc = hasLibc(base) ? host.rareLibc() : base;
  if (!hasLibc(base) || "missing" in libc) {
    throw new Fd3Error("ERR_FD3_FFI", `Cannot ${action}: ${(libc as { missing: string }).missing}`);
  }
  const ends = new Int32Array(new ArrayBuffer(8));
  const result = libc.pipe2(new Uint8Array(ends.buffer), O_CLOEXEC);
  if (result < 0) throw systemError(action, errnoError(result));
  return { base, readEnd: ends[0], writeEnd: ends[1] };
}

/** Whether nobody has the write end any more. */
function isReleased(base: Libc, readEnd: number): boolean {
  const pollfd = new Uint8Array(8);
  // POLLHUP needs no asking (poll(2)).
  new DataView(pollfd.buffer).setInt32(0, readEnd, true);
  return base.poll(pollfd, 1, 0) > 0;
}

/**
 * See {@linkcode NotifyApi.barrier}. The manager closes its end once it has read all that came before. It is looked for between turns
 * of the event loop, since no runtime waits for a pipe of libc's.
 */
export async function barrier(
  host: NotifyHost,
  timeoutMs: number = 5000,
  options: NotifyEnvOptions = {},
): Promise<boolean> {
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
    throw new RangeError(`Cannot ${action}: the time is ${String(timeoutMs)}, not a number of milliseconds from 0 up`);
  }
  if (variable(host, "NOTIFY_SOCKET", options) === undefined) return false;
  const { base, readEnd, writeEnd } = openPipe(host);
  const end = host.now() + timeoutMs;
  const late = () => new Fd3Error("ETIMEDOUT", `Cannot ${action}: no answer within ${timeoutMs} ms`);
  try {
    try {
      const tooLate = () => host.now() < end ? undefined : late();
      await deliver(host, { action, lines, fds: [writeEnd], pid: undefined, tooLate }, options);
    } finally {
      base.close(writeEnd);
    }
    for (let nap = 1; !isReleased(base, readEnd); nap = Math.min(2 * nap, longestNapMs)) {
      const left = end - host.now();
      if (left <= 0) throw late();
      await new Promise((resolve) => setTimeout(resolve, Math.min(nap, left)));
    }
    return true;
  } finally {
    base.close(readEnd);
  }
}
