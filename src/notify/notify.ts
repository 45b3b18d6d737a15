import type { NotifyHost } from "./host.ts";
import { monotonicUsec } from "./clock.ts";
import { variable } from "./environment.ts";
import { encodeMessage, encodeState } from "./state.ts";
import { deliver } from "./transport.ts";
import type { NotifyOptions, NotifyState } from "./types.ts";
import { warnOnce } from "../service/warning.ts";

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
