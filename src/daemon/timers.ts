import type { DaemonHost } from "./daemon_host.ts";

/** Time, and life, as every runtime has them. */
export const timers: Pick<DaemonHost, "now" | "after" | "keepAlive"> = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  keepAlive() {
    // Signal handlers alone do not.
    const timer = setInterval(() => {}, 2 ** 31 - 1);
    return () => clearInterval(timer);
  },
};
