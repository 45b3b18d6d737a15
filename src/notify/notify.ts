import type { NotifyHost } from "./host.ts";
import { notifyAddress } from "./address.ts";
import { monotonicUsec } from "./clock.ts";
import { variable } from "./environment.ts";
import { encodeMessage, encodeState } from "./state.ts";
import { send } from "./transport.ts";
import type { NotifyOptions, NotifyState } from "./types.ts";
import { warnOnce } from "./warning.ts";

/** A manager ignores a RELOADING=1 that does not say when it began, if the unit is Type=notify-reload. */
function withTime(host: NotifyHost, state: NotifyState): NotifyState {
  if (Object(state).reloading !== true || state.monotonicUsec !== undefined) return state;
  const now = monotonicUsec(host);
  if (typeof now === "bigint") return { ...state, monotonicUsec: now };
  warnOnce(host, `RELOADING=1 has no MONOTONIC_USEC, which Type=notify-reload needs: ${now.missing}`);
  return state;
}

/**
 * See {@linkcode NotifyApi.notify}. With FFI it is sent before this returns, and the result is no promise.
 *
 * @param action What this is, for errors.
 */
export function notify(
  host: NotifyHost,
  state: NotifyState,
  options: NotifyOptions = {},
  action = "notify the service manager",
): boolean | Promise<boolean> {
  const socket = variable(host, "NOTIFY_SOCKET", options);
  const { pid } = options;
  if (pid !== undefined && !(Number.isInteger(pid) && pid > 0)) {
    throw new TypeError(`Cannot notify the service manager: pid is ${String(pid)}, not a process ID`);
  }
  const { lines, fds } = encodeState(socket === undefined ? state : withTime(host, state));
  const payload = encodeMessage(lines);
  if (socket === undefined) return false;
  const sent = send(host, { action, address: notifyAddress(socket), lines, payload, fds, pid });
  return sent === undefined ? true : sent.then(() => true);
}
