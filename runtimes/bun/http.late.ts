import type { EngineMaker } from "../../src/http/engine.ts";
import { serverLog } from "../../src/service/report.ts";
import type { ServeAdapter } from "../../src/http/serve.ts";
import { nodeHttp } from "../shared/http/engine.ts";
import { processService } from "../shared/process_service.ts";
import { checkTls } from "../shared/tls_check.ts";
import { bunHost as host } from "./host.ts";
import { bunWays } from "./http_listening.ts";
import { adoptBunServe, openBunServe } from "./serve/engine.ts";

export { serveWith } from "../../src/http/serve.ts";

const bunServe: EngineMaker = {
  name: "bun-serve",
  adopt: (choice, handler, tls) => adoptBunServe(choice, tls, handler),
  open: (address, access, handler, tls) => openBunServe(address, access, tls, handler),
};

const log = serverLog(() => processService);

/** How Bun serves. */
export const adapter: ServeAdapter = {
  host,
  engines: [bunServe, nodeHttp(() => ({ host, ways: bunWays, report: log.report }))],
  log,
  checkTls,
};
