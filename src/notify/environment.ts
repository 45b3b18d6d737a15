import type { Host } from "../host.ts";
import type { Outbox } from "./outbox.ts";
import type { NotifyEnvOptions } from "./types.ts";

/** The variables of sd_notify(3) and sd_watchdog_enabled(3). */
export type NotifyVariable = "NOTIFY_SOCKET" | "WATCHDOG_USEC" | "WATCHDOG_PID";

/** What this process knows of its service manager. */
interface Memory {
  /** The variables as they were when they left the environment. */
  readonly variables: Partial<Record<NotifyVariable, string>>;
  /** What has not left yet, made by the first message. */
  outbox?: Outbox;
}

// On globalThis, not in this module: two copies of the package may meet, and `bun --hot` evaluates a module twice.
const key: unique symbol = Symbol.for("fd3.notify");

/** The memory of this process, made on the first call. */
export function memory(): Memory {
  const holder = globalThis as { [key]?: Memory };
  return holder[key] ??= { variables: {} };
}

/**
 * One of the variables. It leaves the environment, as with libsystemd's `unset_environment`, and is remembered; one that was set anew
 * since counts.
 *
 * @param host The runtime.
 * @param name Its name.
 * @param options `keepEnv` leaves it where it is.
 */
export function variable(host: Host, name: NotifyVariable, options: NotifyEnvOptions = {}): string | undefined {
  const { variables } = memory();
  const value = host.env(name);
  if (value === undefined) return variables[name];
  if (options.keepEnv !== true) host.unsetEnv(name);
  return variables[name] = value;
}
