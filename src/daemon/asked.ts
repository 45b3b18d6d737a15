import type { Host } from "../host.ts";
import { type NotifyVariable, variable } from "../notify/environment.ts";
import type { DaemonParts } from "./daemon_host.ts";

/** How the service manager is told, and the runtime whose environment says whether there is one. */
export interface Telling extends Pick<DaemonParts, "notify" | "watchdog"> {
  readonly host: Host;
}

/**
 * The same, but for what nobody asks for: where no service manager wants to be told, the protocol is not loaded, which would take Deno 5 ms
 * before the first answer.
 */
export function asked({ host, notify, watchdog }: Telling): Pick<DaemonParts, "notify" | "watchdog"> {
  const isSet = (name: NotifyVariable) => {
    try {
      return variable(host, name, { keepEnv: true }) !== undefined;
    } catch {
      // The protocol says which permission is missing.
      return true;
    }
  };
  return {
    notify: (state, options) => isSet("NOTIFY_SOCKET") ? notify(state, options) : Promise.resolve(false),
    watchdog: (options) => isSet("WATCHDOG_USEC") ? watchdog(options) : Promise.resolve(undefined),
  };
}
