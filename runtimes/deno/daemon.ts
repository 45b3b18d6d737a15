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
  async breathe() {
    // The first timer of a process takes Deno 2.9 2 ms: this waits for another thread instead, each time for a turn.
    for (let turn = 0; turn < 10; turn++) await crypto.subtle.digest("SHA-256", new Uint8Array(1));
  },
  exit: (status) => deno().exit(status),
};
