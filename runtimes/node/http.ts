import type { ServeAdapter } from "../../src/http/serve.ts";
import { reportTo } from "../../src/service/report.ts";
import { nodeHttp } from "../shared/http/engine.ts";
import { netWays } from "../shared/http/listening.ts";
import { processService } from "../shared/process_service.ts";
import { checkTls } from "../shared/tls_check.ts";
import { nodeHost as host } from "./host.ts";

export { serveWith } from "../../src/http/serve.ts";
export { trafficOf } from "../../src/http/traffic.ts";

const report = reportTo(() => processService);

/** How Node serves. */
export const adapter: ServeAdapter = {
  host,
  engines: [nodeHttp(() => ({ host, ways: netWays, report }))],
  report,
  checkTls,
};
