import type { HttpServer, ServeHandler, ServeOptions } from "../http/types.ts";
import type { WatchdogOptions } from "../notify/types.ts";
import type { Listener, ListenOptions } from "../types.ts";

/** What `setup` gets: what it opens here is part of the daemon's life. */
export interface DaemonContext {
  /** Aborts when the daemon begins to stop. */
  readonly signal: AbortSignal;
  /** `listen()`, whose listener is closed when the daemon stops; its open connections are what is in flight. */
  listen(options?: ListenOptions): Promise<Listener>;
  /** `serve()`, whose server is drained when the daemon stops. `drainTimeout` and `signal` are the daemon's. */
  serve(handler: ServeHandler, options?: Omit<ServeOptions, "drainTimeout" | "signal">): Promise<HttpServer>;
  /** What `systemctl status` shows (STATUS=). Any text: a line break becomes a blank. Nothing outside systemd. */
  status(text: string): void;
  /** Called when the daemon has stopped, the last one first. */
  cleanup(callback: () => unknown): void;
}

/** Options of `daemon()`. */
export interface DaemonOptions {
  /** Reads the configuration again, on SIGHUP. Where it fails, the old one is kept, and STATUS= says so. */
  readonly reload?: () => unknown;
  /** How long stopping waits for what is in flight, in milliseconds. @default {30000} */
  readonly drainTimeout?: number;
  /**
   * Ends an activated daemon that has had no connection, request or WebSocket for so long, in milliseconds; the next client starts it
   * again. Without it, and for a daemon that opened its own socket, it runs on.
   */
  readonly idleTimeout?: number;
  /** Answers the watchdog, where WatchdogSec= asks for it. @default {true} */
  readonly watchdog?: boolean | Pick<WatchdogOptions, "check" | "checkTimeoutMs" | "whenUnhealthy">;
}

/** What makes a script a daemon. */
export interface DaemonApi {
  /** Documented where it is built. */
  daemon(setup: (context: DaemonContext) => unknown, options?: DaemonOptions): Promise<void>;
}
