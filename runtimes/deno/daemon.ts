import { runDaemon } from "../../src/daemon/daemon.ts";
import { type DaemonParts, type DaemonRuntime, timers } from "../../src/daemon/daemon_host.ts";
import type { DaemonContext, DaemonOptions } from "../../src/daemon/types.ts";
import { deno } from "./types.ts";

/** Deno's events of errors that nobody caught. https://docs.deno.com/api/web/~/ErrorEvent */
type Unhandled = Event & { readonly error?: unknown; readonly reason?: unknown };

const runtime: DaemonRuntime = {
  onSignal: (name, callback) => deno().addSignalListener(name, callback),
  onUnhandled(callback) {
    const listen = (type: string, errorOf: (event: Unhandled) => unknown) =>
      globalThis.addEventListener(type, (event) => {
        event.preventDefault();
        callback(errorOf(event));
      });
    listen("error", ({ error }) => error);
    listen("unhandledrejection", ({ reason }) => reason);
  },
  exit: (status) => deno().exit(status),
};

/** A daemon on Deno. */
export function startDaemon(
  parts: DaemonParts,
  setup: (context: DaemonContext) => unknown,
  options: DaemonOptions,
): Promise<void> {
  return runDaemon({ ...runtime, ...timers, ...parts }, setup, options);
}
