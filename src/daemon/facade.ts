import type { ServeAdapter, serveWith } from "../http/serve.ts";
import type { Telling } from "./asked.ts";
import type { DaemonParts, DaemonRuntime, Served } from "./daemon_host.ts";
import type { DaemonApi } from "./types.ts";

/** How a runtime serves, loaded when somebody does. */
export interface HttpParts {
  readonly adapter: ServeAdapter;
  readonly serveWith: typeof serveWith;
}

/**
 * `daemon()`, whose code is loaded on the first call, in one file: a service that only listens does not wait for it.
 *
 * @param runtime Gives what a daemon asks of this runtime.
 * @param loadHttp Loads its way to serve.
 * @param rest What else a daemon takes of fd3.
 */
export function daemonBy(
  runtime: () => DaemonRuntime,
  loadHttp: () => Promise<HttpParts>,
  rest: Pick<DaemonParts, "listen" | "log"> & Telling,
): DaemonApi["daemon"] {
  const serve: DaemonParts["serve"] = async (handler, options): Promise<Served> => {
    const http = await loadHttp();
    const server = await http.serveWith(http.adapter, handler, options);
    return { server, traffic: server.traffic };
  };
  return async (setup, options = {}) => {
    const { asked, runDaemon, timers } = await import("./daemon.ts");
    const { listen, log } = rest;
    await runDaemon({ ...timers, ...runtime(), listen, log, ...asked(rest), serve }, setup, options);
  };
}
