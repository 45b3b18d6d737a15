import type { ServeAdapter } from "../../src/http/serve.ts";
import { nodeHttp } from "../shared/node_http.ts";
import { currentHost } from "./current_host.ts";

export { serveWith } from "../../src/http/serve.ts";

/** How Node serves. */
export const adapter: ServeAdapter = {
  get host() {
    return currentHost();
  },
  engines: [nodeHttp(currentHost)],
  report: (error) => console.error(error),
};
