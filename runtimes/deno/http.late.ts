import { serverLog } from "../../src/service/report.ts";
import type { ServeAdapter } from "../../src/http/serve.ts";
import { netWays } from "../shared/http/listening.ts";
import { nodeHttp } from "../shared/http/engine.ts";
import { checkTls } from "../shared/tls_check.ts";
import { denoHost as host } from "./host.ts";
import { denoServe } from "./serve/engine.ts";
import { serviceHost } from "./service_host.ts";

export { serveWith } from "../../src/http/serve.ts";

const log = serverLog(() => serviceHost);

/** How Deno serves. */
export const adapter: ServeAdapter = {
  host,
  engines: [denoServe, nodeHttp(() => ({ host, ways: netWays, report: log.report }))],
  log,
  checkTls,
};
