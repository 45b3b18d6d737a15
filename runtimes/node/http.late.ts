import type { ServeAdapter } from "../../src/http/serve.ts";
import { serverLog } from "../../src/service/report.ts";
import { nodeHttp } from "../shared/http/engine.ts";
import { netWays } from "../shared/http/listening.ts";
import { processService } from "../shared/process_service.ts";
import { checkTls } from "../shared/tls_check.ts";
import { nodeHost as host } from "./host.ts";

export { serveWith } from "../../src/http/serve.ts";

const log = serverLog(() => processService);

/** How Node serves. */
export const adapter: ServeAdapter = {
  host,
  engines: [nodeHttp(() => ({ host, ways: netWays, report: log.report }))],
  log,
  checkTls,
};
