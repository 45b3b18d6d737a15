import { Fd3Error } from "../errors.ts";
import { parsePid, parseUint64 } from "../activation/number.ts";
import { quoted } from "../quoted.ts";

const infinity = 2n ** 64n - 1n;

/**
 * sd_watchdog_enabled(3), in libsystemd's own order of checks.
 *
 * @throws {Fd3Error} `EINVAL` or `ERANGE`, where libsystemd returns these.
 * @param usec WATCHDOG_USEC.
 * @param pid WATCHDOG_PID; unset means everybody.
 * @param ownPid This process.
 * @returns The interval in microseconds, `undefined` where nobody waits for us.
 */
export function watchdogUsec(usec: string | undefined, pid: string | undefined, ownPid: number): bigint | undefined {
  if (usec === undefined) return undefined;
  const interval = parseUint64("WATCHDOG_USEC", usec);
  if (interval === 0n || interval === infinity) {
    throw new Fd3Error("EINVAL", `Cannot read WATCHDOG_USEC: ${quoted(usec)} is no interval`);
  }
  if (pid !== undefined && parsePid("WATCHDOG_PID", pid) !== ownPid) return undefined;
  return interval;
}
