import { serverLog } from "../../src/service/report.ts";
import type { ServeAdapter } from "../../src/http/serve.ts";
import { bunWays } from "../bun/http_listening.ts";
import { netWays } from "../shared/http/listening.ts";
import { nodeHttp } from "../shared/http/engine.ts";
import { checkTls } from "../shared/tls_check.ts";
import { currentHost, currentHosts } from "./current_host.ts";

export { serveWith } from "../../src/http/serve.ts";

const log = serverLog(() => currentHosts().service);

/** How Node serves; and `fd3/node` on the others. */
export const adapter: ServeAdapter = {
  get host() {
    return currentHost();
  },
  engines: [nodeHttp(() => {
    const host = currentHost();
    return { host, ways: host.runtime === "Bun" ? bunWays : netWays, report: log.report };
  })],
  log,
  checkTls,
};
