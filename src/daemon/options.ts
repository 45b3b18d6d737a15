import { type Refuse, refusing } from "../quoted.ts";
import { isTimeout, longestTimeout } from "../time/clock.ts";
import type { DaemonContext, DaemonOptions } from "./types.ts";

const refuse: Refuse = refusing("start the daemon");

/**
 * What `watchdog()` takes is checked there.
 *
 * @throws {TypeError} If `setup` or an option of `daemon()` is not of its kind.
 * @param setup What the caller gave.
 * @param options What the caller gave.
 */
export function checkDaemonOptions(setup: (context: DaemonContext) => unknown, options: DaemonOptions): void {
  if (typeof setup !== "function") refuse("setup", setup, "not a function");
  if (typeof options !== "object" || options === null) refuse("options", options, "not an object");
  const { reload, idleTimeout, watchdog } = options;
  if (reload !== undefined && typeof reload !== "function") refuse("reload", reload, "not a function");
  for (const name of ["drainTimeout", "streamTimeout"] as const) {
    const value = options[name];
    if (value === undefined || value === Infinity || isTimeout(value, 0)) continue;
    refuse(name, value, `not a number between 0 and ${longestTimeout}, nor Infinity`);
  }
  if (idleTimeout !== undefined && !isTimeout(idleTimeout, 1)) {
    refuse("idleTimeout", idleTimeout, `not a number between 1 and ${longestTimeout}`);
  }
  if (watchdog !== undefined && typeof watchdog !== "boolean" && (typeof watchdog !== "object" || watchdog === null)) {
    refuse("watchdog", watchdog, "neither true, false nor an object");
  }
}
