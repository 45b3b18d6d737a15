import type { DaemonRuntime } from "../../src/daemon/daemon_host.ts";
import { deno } from "./types.ts";

/** Deno's events of errors that nobody caught. https://docs.deno.com/api/web/~/ErrorEvent */
interface Unhandled {
  readonly error?: unknown;
  readonly reason?: unknown;
}

/** What a daemon asks of Deno. */
export const denoDaemon: DaemonRuntime = {
  onSignal: (name, callback) => deno().addSignalListener(name, callback),
  onUnhandled(callback) {
    const listen = (type: string, errorOf: (event: Unhandled) => unknown) =>
      globalThis.addEventListener(type, (event) => {
        event.preventDefault();
        callback(errorOf(event as unknown as Unhandled));
      });
    listen("error", ({ error }) => error);
    listen("unhandledrejection", ({ reason }) => reason);
  },
  // The first setTimeout() of a process takes Deno 2.9 5 ms, this 0.3. Nothing but a timer makes the event loop look at its sockets.
  pause: (ms) => new Promise((resolve) => AbortSignal.timeout(ms).addEventListener("abort", () => resolve())),
  afterIfAlive(ms, callback) {
    const timer = setTimeout(callback, ms);
    deno().unrefTimer(timer);
    return () => clearTimeout(timer);
  },
  exit: (status) => deno().exit(status),
};
