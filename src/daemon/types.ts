import type { AttachOptions, NetServer } from "../attach/types.ts";
import type { HttpServer, RunningServer, ServeHandler, ServeOptions } from "../http/types.ts";
import type { WatchdogOptions } from "../notify/types.ts";
import type { Listener, ListenOptions } from "../types.ts";

/** Options of a server that a daemon sets itself. */
export type EndOption = "drainTimeout" | "streamTimeout" | "signal";

/** What `setup` gets: what it opens here is part of the daemon's life. */
export interface DaemonContext {
  /** Aborts when the daemon begins to stop. */
  readonly signal: AbortSignal;
  /**
   * `listen()`, whose listener is closed when the daemon stops; its open connections are what is in flight.
   *
   * @throws {Fd3Error} What `listen()` throws, and `ERR_FD3_CLOSED` once the daemon stops.
   */
  listen(options?: ListenOptions): Promise<Listener>;
  /**
   * `serve()`, whose server is drained when the daemon stops. `drainTimeout`, `streamTimeout` and `signal` are the daemon's.
   *
   * @throws {Fd3Error} What `serve()` throws, and `ERR_FD3_CLOSED` once the daemon stops.
   */
  serve(handler: ServeHandler, options?: Omit<ServeOptions, EndOption>): Promise<HttpServer>;
  /**
   * `attach()`, whose server is drained when the daemon stops. `drainTimeout`, `streamTimeout` and `signal` are the daemon's.
   *
   * @throws {Fd3Error} What `attach()` throws, and `ERR_FD3_CLOSED` once the daemon stops.
   */
  attach(server: NetServer, options?: Omit<AttachOptions, EndOption>): Promise<RunningServer>;
  /**
   * What `systemctl status` shows (STATUS=). Any text: a line break becomes a blank, and what is too long is cut. It may be set for each
   * request: it goes out at most ten times a second, and the last one in any case. While the daemon starts it goes out with READY=1, or
   * before that if the start takes half a second. Nothing outside systemd.
   */
  status(text: string): void;
  /** Called when nothing is in flight any more, the last one first, each awaited. One that fails stops no other. */
  cleanup(callback: () => unknown): void;
}

/** Options of `daemon()`. */
export interface DaemonOptions {
  /** Reads the configuration again, on SIGHUP. Where it fails, the old one is kept, and STATUS= says so. */
  readonly reload?: () => unknown;
  /**
   * How long stopping waits for what is in flight, in milliseconds; after that it is cut off. `Infinity` waits for as long as it takes.
   *
   * @default {30000}
   */
  readonly drainTimeout?: number;
  /**
   * How long stopping lets streams and WebSockets go on, in milliseconds; see {@linkcode DrainOptions.streamTimeout}.
   *
   * @default {5000}
   */
  readonly streamTimeout?: number;
  /**
   * Ends an activated daemon that has had no connection, request or WebSocket for so long, in milliseconds; the next client starts it
   * again. Without it, and for a daemon that opened its own socket, it runs on.
   */
  readonly idleTimeout?: number;
  /** Answers the watchdog, where WatchdogSec= asks for it. @default {true} */
  readonly watchdog?: boolean | Pick<WatchdogOptions, "check" | "checkTimeout" | "whenUnhealthy">;
}

/** What makes a script a daemon. */
export interface DaemonApi {
  /**
   * A daemon's whole life: it opens what it serves with, says that it is ready, proves that it is alive, reloads, and stops without
   * dropping anybody. It is the process: it ends that itself, and what it returns never settles, but for what is thrown below.
   *
   * | what happens | what it does | exit status |
   * | --- | --- | --- |
   * | `setup` is fulfilled | READY=1 with the last status, before the first request is handled; a line on stderr for each server and listener; the watchdog | |
   * | it is not after 10 s | a warning on stderr | |
   * | a descriptor that was passed is not taken by then | a warning on stderr that names it | |
   * | SIGTERM, SIGINT | STOPPING=1, `signal` aborts, nothing more is accepted, what is in flight is finished, cleanups | 0 |
   * | a second one, of either | ends at once; a Ctrl-C that npm passes on comes twice | 143 or 130 |
   * | SIGHUP | RELOADING=1, `reload`, READY=1; one after the other; during the start it waits, while stopping it is ignored | |
   * | `reload` fails | a line on stderr; the old configuration serves on, and STATUS= says so | |
   * | `setup` fails, an error nobody handled, a server that ended | a line on stderr, STATUS=, ERRNO=, and it stops as above | 1 |
   * | a cleanup fails | a line on stderr, and the next one | 1 |
   * | nobody was there for `idleTimeout` | stops accepting, answers who came meanwhile, STOPPING=1, cleanups | 0 |
   *
   * `setup` opens listeners and servers, and returns: whoever awaits their end in it is never ready. What a signal finds in flight is
   * waited for as long as `drainTimeout` says: for servers, their drain; for `listen()`, its open connections, which are closed then. Up to
   * that moment the service manager is asked for more time each second (EXTEND_TIMEOUT_USEC=, 5 s), by the event loop, so that
   * TimeoutStopSec= need not be longer than `drainTimeout`, and still finds a process that hangs. Cleanups that take longer than both
   * are up to TimeoutStopSec=. Signals of a kind that a daemon handles no longer do what they do by default: without `reload`, SIGHUP is
   * answered and does nothing, so that no daemon dies of it.
   *
   * Once idle it looks each quarter of `idleTimeout`. Each socket must have been passed: with one of its own it would be gone with it, so
   * then it runs on. Who connects after it stopped accepting waits in the kernel's queue, and starts the next instance. Where nobody
   * knows the connections (Unix sockets without FFI on some servers), the requests alone count.
   *
   * Outside systemd it does the same, and tells nobody. Messages that cannot be sent are logged and change nothing else; the end waits for
   * those that have not left, for a second, or for five where a program sends them.
   *
   * Deno permissions: those of `listen` or `serve`, and of {@linkcode NotifyApi}; `--allow-env=JOURNAL_STREAM` for log prefixes.
   *
   * @throws {TypeError} If `setup` or an option is not of its kind. All else is said on stderr, with exit status 1.
   * @param setup Opens everything, through its context.
   * @param options What else it does.
   *
   * @example An HTTP service, at a socket of systemd's or at the address that is its argument
   * ```ts
   * import { args, daemon } from "@fd3/fd3";
   *
   * const [fallback] = args();
   * let greeting = "Hello World";
   * if (fallback !== undefined) {
   *   await daemon(async (context) => {
   *     await context.serve(() => new Response(greeting), { fallback });
   *     context.status("Serving");
   *     context.cleanup(() => console.error("bye"));
   *   }, { reload: () => greeting = "Hello again", idleTimeout: 60_000 });
   * }
   * ```
   */
  daemon(setup: (context: DaemonContext) => unknown, options?: DaemonOptions): Promise<void>;
}
