import { detailsOf } from "../daemon/failure.ts";
import { log } from "../daemon/log.ts";
import type { ServiceHost } from "../daemon/service_host.ts";
import type { Report } from "./responder.ts";

/**
 * Reports as errors of the log: `journalctl -p err` shows them.
 *
 * @param service Gives the runtime whose stderr it is, when there is something to report.
 */
export function reportTo(service: () => ServiceHost): Report {
  return (error) => log(service(), "err", detailsOf(error));
}
