import type { ServeAdapter } from "../../src/http/serve.ts";
import { netWays } from "../shared/http_listening.ts";
import { nodeHttp } from "../shared/node_http.ts";
import { checkTls } from "../shared/tls_check.ts";
import { denoHost as host } from "./host.ts";
import { denoServe } from "./serve_engine.ts";

export { serveWith } from "../../src/http/serve.ts";
export { trafficOf } from "../../src/http/traffic.ts";

/** How Deno serves. */
export const adapter: ServeAdapter = {
  host,
  engines: [denoServe, nodeHttp(() => ({ host, ways: netWays }))],
  report: (error) => console.error(error),
  checkTls,
};
