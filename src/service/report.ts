import type { ServerLog } from "../http/server.ts";
import type { ServiceHost } from "./host.ts";
import { detailsOf } from "./failure.ts";
import { log } from "./log.ts";

/**
 * Reports errors of a server as errors of the log, which `journalctl -p err` shows, and what a stop waits for as a notice.
 *
 * @param service Gives the runtime whose stderr it is, when there is something to report.
 */
export function serverLog(service: () => ServiceHost): ServerLog {
  return {
    report: (error) => log(service(), "err", detailsOf(error)),
    note: (text) => log(service(), "notice", text),
  };
}
