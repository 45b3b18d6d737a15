import type { ServeAdapter } from "../../src/http/serve.ts";
import { nodeHttp } from "../shared/node_http.ts";
import { host } from "./host.ts";

export { serveWith } from "../../src/http/serve.ts";

/** How Bun serves. */
export const adapter: ServeAdapter = {
  host,
  engines: [nodeHttp(() => host)],
  report: (error) => console.error(error),
};
