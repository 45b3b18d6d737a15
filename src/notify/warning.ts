import { log } from "../daemon/log.ts";
import { memory } from "./environment.ts";
import type { NotifyHost } from "./host.ts";

/** Logs a warning, the first time in this process. */
export function warnOnce(host: NotifyHost, warning: string): void {
  const { warned } = memory();
  if (warned.has(warning)) return;
  warned.add(warning);
  log(host, "warning", `fd3: ${warning}`);
}
