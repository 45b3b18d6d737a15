import type { Clock } from "../time/clock.ts";
import type { Traffic } from "./engine.ts";

/** How long a client may take to send its request after it was accepted, where nothing tells that it has not, in milliseconds. */
export const graceMs = 500;

/**
 * How long a client has to send its request, in milliseconds. After so long without any, it is no longer waited for: browsers connect ahead
 * and may never ask, and until the end no new client is served. So many looks must have found it so: an event loop that was blocked has read
 * nothing meanwhile.
 */
export const silentMs = 5000;
const silentLooks = 100;

/**
 * Whether nothing is lost if the server ends now. One look is not enough: what the kernel has and the runtime has not read yet is in
 * neither count for a moment. Those of `untilQuiet()` lost nothing.
 *
 * @param traffic The server's.
 * @param calmMs For how long nothing can have been accepted.
 */
export function isQuiet(traffic: Traffic, calmMs: number): boolean {
  if (traffic.inFlight() > 0) return false;
  const unread = traffic.unread();
  if (unread !== undefined) return unread === 0;
  return calmMs >= graceMs || traffic.connections() === 0;
}

/** Tells, asked at each look, whether no request has come or run for so long that who owes one is no longer waited for. */
export function silenceOf(traffic: Traffic, clock: Clock): () => boolean {
  let [since, silent, handled] = [clock.now(), 0, traffic.handled()];
  return () => {
    if (traffic.inFlight() > 0 || traffic.handled() !== handled) {
      [since, silent, handled] = [clock.now(), 0, traffic.handled()];
      return false;
    }
    return ++silent >= silentLooks && clock.now() - since >= silentMs;
  };
}
