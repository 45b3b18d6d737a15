import { unclaimedFds } from "../activation/take_fd.ts";
import { hasLibc, type Host } from "../host.ts";
import { memory, type NotifyVariable, sendPlain, variable } from "../notify/manager.ts";
import type { NotifyApi, NotifyState } from "../notify/types.ts";
import type { DaemonParts } from "./daemon_host.ts";

/** How the service manager is told, and the runtime whose environment says whether there is one. */
export interface Telling extends Pick<NotifyApi, "notify" | "watchdog" | "capabilities"> {
  readonly host: Host;
}

/** How long the end waits for messages that have not left, in milliseconds: with FFI for a manager that reads nothing, else for a program. */
const [ffiFlushMs, programFlushMs] = [1000, 5000];

/** The longest address that needs no second look: see `notifyAddress()`. */
const plainAddress = /^[/@][\x20-\x7e]{1,106}$/;

/**
 * READY=1, and a status before it or with it: it leaves before the event loop turns, and so before the first request, whatever that does
 * with the loop. The protocol is not loaded for it, which takes 3 to 9 ms. What is out of the ordinary is left to the protocol.
 *
 * @returns Whether it has left.
 */
function sendEarly(host: Host, state: NotifyState): boolean {
  const { ready, status, ...rest } = state;
  const others = Object.values(rest).filter((value) => value !== undefined);
  if (others.length > 0 || memory().outbox !== undefined) return false;
  const libc = host.libc();
  if (!hasLibc(libc)) return false;
  const address = variable(host, "NOTIFY_SOCKET") ?? "";
  if (!plainAddress.test(address)) return false;
  const lines = [...(ready === true ? ["READY=1"] : []), ...(status === undefined ? [] : [`STATUS=${status}`])];
  return sendPlain(libc, address, new TextEncoder().encode(lines.join("\n"))) >= 0;
}

/**
 * The same, but for what nobody asks for: where no service manager wants to be told, the protocol is not loaded, which would take Deno 5 ms
 * before the first answer.
 */
export function asked(
  { host, notify, watchdog, capabilities }: Telling,
): Pick<DaemonParts, "host" | "notify" | "watchdog" | "prepare" | "unclaimed" | "flushMs"> {
  const isSet = (name: NotifyVariable) => {
    try {
      return variable(host, name, { keepEnv: true }) !== undefined;
    } catch {
      // The protocol says which permission is missing.
      return true;
    }
  };
  // What the protocol was once given is not overtaken.
  let isEarly = true;
  return {
    host,
    async notify(state, options) {
      if (!isSet("NOTIFY_SOCKET")) return false;
      isEarly &&= sendEarly(host, state);
      return isEarly || await notify(state, options);
    },
    watchdog: (options) => isSet("WATCHDOG_USEC") ? watchdog(options) : Promise.resolve(undefined),
    // Without FFI the first request must not come before the code that starts the program.
    prepare: () =>
      isSet("NOTIFY_SOCKET") && !hasLibc(host.libc()) ? capabilities({ keepEnv: true }).catch(() => {}) : undefined,
    unclaimed: () => unclaimedFds(host, { keepEnv: true }),
    flushMs: () => hasLibc(host.libc()) ? ffiFlushMs : programFlushMs,
  };
}
