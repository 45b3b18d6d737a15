import { clock, longestTimeout } from "./clock.ts";
import type { DaemonHost } from "../daemon/daemon_host.ts";

/** Time, and life, as every runtime has them. */
export const timers: Pick<DaemonHost, "now" | "after" | "keepAlive"> = {
  ...clock,
  keepAlive() {
    // Signal handlers alone do not.
    const timer = setInterval(() => {}, longestTimeout);
    return () => clearInterval(timer);
  },
};
