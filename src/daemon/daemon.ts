import type { DaemonHost } from "./daemon_host.ts";
import { Life } from "./life.ts";
import { checkDaemonOptions } from "./options.ts";
import type { DaemonContext, DaemonOptions } from "./types.ts";

export { asked } from "./asked.ts";
export { timers } from "../time/timers.ts";

/** See {@linkcode DaemonApi.daemon}. */
export async function runDaemon(
  host: DaemonHost,
  setup: (context: DaemonContext) => unknown,
  options: DaemonOptions,
): Promise<void> {
  checkDaemonOptions(setup, options);
  await new Life(host, options).run(setup);
}
