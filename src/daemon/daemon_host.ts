import type { AttachOptions, NetServer } from "../attach/types.ts";
import type { Host } from "../host.ts";
import type { Clock } from "../time/clock.ts";
import type { Traffic } from "../http/engine.ts";
import type { DrainOptions, RunningServer, ServeHandler, ServeOptions } from "../http/types.ts";
import type { NotifyApi } from "../notify/types.ts";
import type { Listener, ListenFd, ListenOptions } from "../types.ts";
import type { ServiceApi } from "../service/types.ts";

/** The signals that a daemon heeds. */
export type DaemonSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

/** How long what is in flight may take at the end of a server, in milliseconds. */
export type Times = Required<Pick<DrainOptions, "drainTimeout" | "streamTimeout">>;

/** A server, and what is under way there. */
export interface Served {
  readonly server: RunningServer & { readonly engine: string };
  readonly traffic: Traffic;
}

/** A server of the runtime's own. */
interface NativeServed extends Served {
  readonly native: unknown;
}

/** What a daemon takes of the rest of fd3: handed over, not imported, so that its code shares no file with theirs. */
export interface DaemonParts {
  readonly host: Host;
  listen(options?: ListenOptions): Promise<Listener>;
  serve(handler: ServeHandler, options: ServeOptions): Promise<Served>;
  attach(server: NetServer, options: AttachOptions): Promise<Served>;
  /** @param args Those of the runtime's own `serveNative()`. */
  serveNative(args: readonly unknown[], times: Times): Promise<NativeServed>;
  readonly notify: NotifyApi["notify"];
  readonly watchdog: NotifyApi["watchdog"];
  readonly log: ServiceApi["log"];
  /** Loads what READY=1 needs to be sent at once, where something is missing: to be awaited before somebody can be served. */
  prepare(): Promise<unknown> | undefined;
  /** The descriptors that were passed and that nobody took until now. */
  unclaimed(): readonly ListenFd[];
  /** How long the end waits for messages that have not left, in milliseconds. */
  flushMs(): number;
}

/** What a daemon asks of a runtime. */
export interface DaemonRuntime {
  /** Calls back for each signal of a kind, whose default action is gone from now on. */
  onSignal(name: DaemonSignal, callback: () => void): void;
  /** Calls back for each error that nobody caught and each rejection that nobody handled; neither ends the process any more. */
  onUnhandled(callback: (error: unknown) => void): void;
  /** Settles after so many milliseconds: by a timer that costs little also if it is the first. */
  pause(ms: number): Promise<void>;
  /** Calls back once, and does not keep the process alive for it; gives what cancels it. Not for a start, which it would delay. */
  afterIfAlive(ms: number, callback: () => void): () => void;
  /** Ends the process; only that of a test comes back. */
  exit(status: number): void;
}

/** All that a daemon stands on. */
export interface DaemonHost extends DaemonParts, DaemonRuntime, Clock {
  /** Keeps the process alive until what it gives is called. */
  keepAlive(): () => void;
}
