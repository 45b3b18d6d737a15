import type { attachServer, ServerWays } from "./attach/attach.ts";
import type { DaemonRuntime, Times } from "./daemon/daemon_host.ts";
import { Fd3Error } from "./errors.ts";
import { withFreeFds } from "./free_fds.ts";
import type { Host } from "./host.ts";
import type { ServeAdapter, serveWith } from "./http/serve.ts";
import type { EngineServer } from "./http/server.ts";
import type { Adapter } from "./listen.ts";
import type { NotifyModule } from "./notify/facade.ts";
import type { NotifyParts } from "./notify/host.ts";
import type { Listener } from "./types.ts";

/** The code that serves HTTP, and how the runtime does. */
export interface HttpModule {
  readonly adapter: ServeAdapter;
  readonly serveWith: typeof serveWith;
}

/** A server of the runtime's own, and what drains it. */
interface NativeServer {
  readonly native: unknown;
  readonly server: EngineServer;
}

/** The code that attaches servers, and how the runtime makes one listen. */
interface AttachModule {
  readonly ways: ServerWays;
  readonly attachServer: typeof attachServer;
}

/**
 * All that fd3 asks of a runtime: `createFd3()` makes the whole API of it. Nothing here touches a global of the runtime before it is called, so
 * that each entry point loads on each runtime.
 */
export interface Runtime extends NotifyParts {
  /** Which runtime this really is: an entry point may be imported on another. */
  current(): Host["runtime"];
  /** How it makes a listener. */
  readonly streams: Pick<Adapter<Listener>, "adopt" | "open">;
  /** What a daemon asks of it. */
  readonly daemon: DaemonRuntime;
  /** The command line, without the runtime and the script. */
  args(): readonly string[];
  /** Ends the process. */
  exit(status: number): never;
  /** Calls back for each SIGTERM and SIGINT, which do not end the process any more. */
  onTermination(callback: () => void): void;
  /**
   * The runtime's own server, as its entry point's `serveNative()` opens it.
   *
   * @throws {Fd3Error} `ERR_FD3_PLATFORM` where it has none.
   */
  serveNative(args: readonly unknown[], times: Times): Promise<NativeServer>;
  // What an activated listener does not need is loaded when it is first called.
  loadNotify(): Promise<NotifyModule>;
  loadHttp(): Promise<HttpModule>;
  loadAttach(): Promise<AttachModule>;
}

/**
 * Refuses where an entry point of one runtime was imported on another. It is asked when something is called, since every entry point loads
 * everywhere.
 *
 * @throws {Fd3Error} `ERR_FD3_PLATFORM`.
 * @param action What was called, for the text.
 */
export function checkRuntime({ host, current }: Pick<Runtime, "host" | "current">, action: string): void {
  const [own, found] = [host.runtime, current()];
  if (own === found) return;
  const text = `Cannot ${action}: fd3/${own.toLowerCase()} is for ${own}, and this is ${found}; import "fd3"`;
  throw new Fd3Error("ERR_FD3_PLATFORM", text);
}

/** What serves HTTP. Its code is loaded here, so that a service that only listens does not wait for it. */
export function loadHttp({ host, loadHttp }: Runtime): Promise<HttpModule> {
  return withFreeFds(host, "serve", loadHttp);
}

/** What attaches servers, loaded likewise. */
export function loadAttach({ host, loadAttach }: Runtime): Promise<AttachModule> {
  return withFreeFds(host, "attach", loadAttach);
}
