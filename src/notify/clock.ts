import { hasLibc, type LibcMissing } from "../host.ts";
import { CLOCK_MONOTONIC } from "../linux/constants.ts";
import type { NotifyHost } from "./host.ts";

/**
 * CLOCK_MONOTONIC in microseconds, which is what MONOTONIC_USEC must be. `process.hrtime()` is that on Node alone: on Deno and Bun it
 * starts at 0 with the process, and a manager would wait for ever for a time after its own.
 *
 * Without libc it is the time since boot, which counts suspension, too: never less, and more does no harm, since the manager only
 * looks whether it is after its request.
 *
 * @param host The runtime.
 */
export function monotonicUsec(host: NotifyHost): bigint | LibcMissing {
  if (host.monotonic !== undefined) return host.monotonic() / 1000n;
  const base = host.libc();
  const libc = hasLibc(base) ? host.rareLibc() : base;
  if (!("missing" in libc)) {
    const timespec = new Uint8Array(new ArrayBuffer(16));
    if (libc.clock_gettime(CLOCK_MONOTONIC, timespec) === 0) {
      const view = new DataView(timespec.buffer);
      return view.getBigInt64(0, true) * 1_000_000n + view.getBigInt64(8, true) / 1000n;
    }
  }
  const seconds = host.uptime();
  return typeof seconds === "number" ? BigInt(Math.ceil(seconds * 1_000_000)) : seconds;
}
