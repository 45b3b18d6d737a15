import { detailsOf } from "./failure.ts";
import { log } from "./log.ts";
import type { ServiceHost } from "./host.ts";
import type { Report } from "../http/responder.ts";

/**
 * Reports as errors of the log: `journalctl -p err` shows them.
 *
 * @param service Gives the runtime whose stderr it is, when there is something to report.
 */
export function reportTo(service: () => ServiceHost): Report {
  return (error) => log(service(), "err", detailsOf(error));
}
