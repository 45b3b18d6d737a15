import { loadAttach, loadHttp, type Runtime } from "../runtime.ts";
import { asked, type Telling } from "./asked.ts";
import type { DaemonHost, DaemonParts } from "./daemon_host.ts";
import { Life } from "./life.ts";
import type { DaemonContext, DaemonOptions } from "./types.ts";
import { clock, isTimeout, longestTimeout } from "../time/clock.ts";
import { type Refuse, refusing } from "../quoted.ts";

/** Time, and life, as every runtime has them. */
const timers: Pick<DaemonHost, "now" | "after" | "keepAlive"> = {
  ...clock,
  keepAlive() {
    // Signal handlers alone do not.
    const timer = setInterval(() => {}, longestTimeout);
    return () => clearInterval(timer);
  },
};

const refuse: Refuse = refusing("start the daemon");

/**
 * What `watchdog()` takes is checked there.
 *
 * @throws {TypeError} If `setup` or an option of `daemon()` is not of its kind.
 * @param setup What the caller gave.
 * @param options What the caller gave.
 */
function checkDaemonOptions(setup: (context: DaemonContext) => unknown, options: DaemonOptions): void {
  if (typeof setup !== "function") refuse("setup", setup, "not a function");
  if (typeof options !== "object" || options === null) refuse("options", options, "not an object");
  const { reload, idleTimeout, watchdog } = options;
  if (reload !== undefined && typeof reload !== "function") refuse("reload", reload, "not a function");
  for (const name of ["drainTimeout", "streamTimeout"] as const) {
    const value = options[name];
    if (value === undefined || value === Infinity || isTimeout(value, 0)) continue;
    refuse(name, value, `not a number between 0 and ${longestTimeout}, nor Infinity`);
  }
  if (idleTimeout !== undefined && !isTimeout(idleTimeout, 1)) {
    refuse("idleTimeout", idleTimeout, `not a number between 1 and ${longestTimeout}`);
  }
  if (watchdog !== undefined && typeof watchdog !== "boolean" && (typeof watchdog !== "object" || watchdog === null)) {
    refuse("watchdog", watchdog, "neither true, false nor an object");
  }
}

/** See {@linkcode DaemonApi.daemon}. */
export async function runDaemon(
  host: DaemonHost,
  setup: (context: DaemonContext) => unknown,
  options: DaemonOptions,
): Promise<void> {
  checkDaemonOptions(setup, options);
  await new Life(host, options).run(setup);
}

/** How a daemon serves: as the rest of fd3 does, and what is under way is known. */
function serving(runtime: Runtime): Pick<DaemonParts, "serve" | "attach" | "serveNative"> {
  return {
    async serve(handler, options) {
      const { adapter, serveWith } = await loadHttp(runtime);
      const server = await serveWith(adapter, handler, options);
      return { server, traffic: server.traffic };
    },
    async attach(attached, options) {
      const { ways, attachServer } = await loadAttach(runtime);
      const server = await attachServer(runtime, ways, attached, options);
      return { server, traffic: server.traffic };
    },
    async serveNative(args, times) {
      const { native, server } = await runtime.serveNative(args, times);
      return { native, server, traffic: server.traffic };
    },
  };
}

/**
 * `daemon()` of an entry point.
 *
 * @param runtime The runtime.
 * @param rest What the entry point has besides.
 */
export async function startDaemon(
  runtime: Runtime,
  rest: Pick<DaemonParts, "listen" | "log"> & Omit<Telling, "host">,
  setup: (context: DaemonContext) => unknown,
  options: DaemonOptions,
): Promise<void> {
  const { listen, log } = rest;
  const told = asked({ ...rest, host: runtime.host });
  await runDaemon({ ...timers, ...runtime.daemon, listen, log, ...told, ...serving(runtime) }, setup, options);
}
