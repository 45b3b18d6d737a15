import type { NotifyHost } from "./host.ts";
import { variable } from "./manager.ts";
import { encodeMessage, encodeState } from "./state.ts";
import { deliver } from "./transport.ts";
import type { NotifyOptions, NotifyState } from "./types.ts";
import { warnOnce } from "../service/log.ts";
import { hasLibc, type LibcMissing } from "../host.ts";
import { CLOCK_MONOTONIC } from "../linux/constants.ts";

/** A manager ignores a RELOADING=1 that does not say when it began, if the unit is Type=notify-reload. */
function withTime(host: NotifyHost, state: NotifyState): NotifyState {
  if (Object(state).reloading !== true || state.monotonicUsec !== undefined) return state;
  const now = monotonicUsec(host);
  if (typeof now === "bigint") return { ...state, monotonicUsec: now };
  warnOnce(host, `RELOADING=1 has no MONOTONIC_USEC, which Type=notify-reload needs: ${now.missing}`);
  return state;
}

/**
 * See {@linkcode NotifyApi.notify}. With FFI it is sent before this returns, and the result is no promise, if the service manager
 * has room for it.
 *
 * @param action What this is, for errors.
 */
export function notify(
  host: NotifyHost,
  state: NotifyState,
  options: NotifyOptions = {},
  action = "notify the service manager",
): boolean | Promise<boolean> {
  // First, so that it leaves the environment whatever is wrong with the state.
  const isSupervised = variable(host, "NOTIFY_SOCKET", options) !== undefined;
  const { pid } = options;
  if (pid !== undefined && !(Number.isInteger(pid) && pid > 0)) {
    throw new TypeError(`Cannot notify the service manager: pid is ${String(pid)}, not a process ID`);
  }
  const { lines, fds } = encodeState(isSupervised ? withTime(host, state) : state);
  // What is too long is a mistake also where nobody listens.
  encodeMessage(lines);
  return deliver(host, { action, lines, fds, pid }, options);
}

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
