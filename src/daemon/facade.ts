import type { ServeAdapter, serveWith } from "../http/serve.ts";
import type { trafficOf } from "../http/traffic.ts";
import type { DaemonParts, Served } from "./daemon_host.ts";
import type { DaemonApi, DaemonContext, DaemonOptions } from "./types.ts";

/** The part of a runtime that is loaded. */
export interface DaemonModule {
  startDaemon(
    parts: DaemonParts,
    setup: (context: DaemonContext) => unknown,
    options: DaemonOptions,
  ): Promise<void>;
}

/** How a runtime serves, loaded when somebody does. */
export interface HttpParts {
  readonly adapter: ServeAdapter;
  readonly serveWith: typeof serveWith;
  readonly trafficOf: typeof trafficOf;
}

/**
 * `daemon()`, whose code is loaded on the first call: a service that only listens does not wait for it.
 *
 * @param load Loads the runtime's part.
 * @param loadHttp Loads its way to serve.
 * @param rest What else a daemon takes of fd3.
 */
export function daemonBy(
  load: () => Promise<DaemonModule>,
  loadHttp: () => Promise<HttpParts>,
  rest: Omit<DaemonParts, "serve">,
): DaemonApi["daemon"] {
  const serve: DaemonParts["serve"] = async (handler, options): Promise<Served> => {
    const http = await loadHttp();
    const server = await http.serveWith(http.adapter, handler, options);
    return { server, traffic: http.trafficOf(server)! };
  };
  return async (setup, options = {}) => (await load()).startDaemon({ ...rest, serve }, setup, options);
}
