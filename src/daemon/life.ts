import { deadlineOf } from "../time/waiting.ts";
import type { Watchdog } from "../notify/types.ts";
import { Context } from "./context.ts";
import type { DaemonHost } from "./daemon_host.ts";
import { detailsOf, errnoOf, messageOf } from "../service/failure.ts";
import { watchIdle } from "./idle.ts";
import { Messages } from "./messages.ts";
import type { Part } from "./part.ts";
import { Reloader } from "./reloader.ts";
import { servingLine } from "./serving_line.ts";
import { cleanUp, drainAll, keepExtending, settledBy } from "./stopping.ts";
import type { ListenFd } from "../types.ts";
import type { DaemonContext, DaemonOptions } from "./types.ts";

/** How long what is in flight may take, and how long streams and WebSockets, in milliseconds. */
const [defaultDrainTimeout, defaultStreamTimeout] = [30_000, 5000];

/** The status of a process that a signal ended, as a shell has it: 128 and its number. */
const statuses = { SIGINT: 130, SIGTERM: 143 } as const;

/** How long a client who waits has to be answered before what is not urgent, and after how long a start is one that takes long: in milliseconds. */
const [breathMs, slowStartMs] = [10, 20];

/** After how long a start is one that may never end, and when a timer costs nothing that matters: in milliseconds. */
const [endlessStartMs, calmMs] = [10_000, 1000];

const endlessStart =
  "the service is not ready, since setup has not returned after 10 s: a setup that awaits server.finished, or the end of a loop over " +
  "connections, never returns; open everything in it, and return";

/** A daemon from its start to its end. */
export class Life {
  readonly #host: DaemonHost;
  readonly #options: DaemonOptions;
  readonly #drainTimeout: number;
  readonly #messages: Messages;
  readonly #context: Context;
  readonly #reloader: Reloader;
  #isStopping = false;
  /** READY=1 was sent. */
  #isReady = false;
  /** What it serves with is told of, now and later. */
  #isTold = false;
  /** Whether the service manager and the context know of it. */
  #isAnnounced = false;
  #wasSignalled = false;
  #status = 0;
  #endIdle: () => void = () => {};
  #endHint: () => void = () => {};
  #letGo: () => void = () => {};
  #watchdog: Watchdog | undefined;
  #setUp: Promise<void> = Promise.resolve();
  #end: () => void = () => {};
  readonly #ended: Promise<void> = new Promise((resolve) => this.#end = resolve);

  constructor(host: DaemonHost, options: DaemonOptions) {
    this.#host = host;
    this.#options = options;
    this.#drainTimeout = options.drainTimeout ?? defaultDrainTimeout;
    this.#messages = new Messages(host);
    this.#reloader = new Reloader(host, this.#messages, options.reload);
    this.#context = new Context({
      host,
      messages: this.#messages,
      times: { drainTimeout: this.#drainTimeout, streamTimeout: options.streamTimeout ?? defaultStreamTimeout },
      onOpen: (part) => this.#isTold && this.#tell(part),
      onEnd: (error) => this.#fail("A server ended", error),
    });
  }

  /** Settles when it is over, where `exit` comes back. */
  async run(setup: (context: DaemonContext) => unknown): Promise<void> {
    this.#heed();
    this.#setUp = this.#prepare(setup);
    void this.#tellSlowStart();
    await this.#setUp;
    if (!this.#isStopping) await this.#begin();
    await this.#ended;
    this.#letGo();
  }

  #heed(): void {
    const host = this.#host;
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      host.onSignal(name, () => {
        if (this.#wasSignalled) return host.exit(statuses[name]);
        this.#wasSignalled = true;
        this.#announce();
        this.#stop();
      });
    }
    host.onSignal("SIGHUP", () => this.#reloader.request());
    host.onUnhandled((error) => this.#fail("Unhandled error", error));
  }

  async #prepare(setup: (context: DaemonContext) => unknown): Promise<void> {
    try {
      await setup(this.#context.given);
    } catch (error) {
      // Nothing is expected of one that was told to stop, but that it stops.
      if (this.#isStopping) this.#host.log("warning", `Stopped while starting: ${messageOf(error)}`);
      else this.#fail("Cannot start", error);
    }
  }

  /** A start that takes long has a status, too. */
  async #tellSlowStart(): Promise<void> {
    await this.#host.pause(slowStartMs);
    if (!this.#isStopping) this.#messages.open();
    if (this.#isReady || this.#isStopping) return;
    // In two steps: the first setTimeout() of a process would delay the start on Deno.
    await this.#host.pause(calmMs - slowStartMs);
    if (this.#isReady || this.#isStopping) return;
    this.#endHint = this.#host.afterIfAlive(endlessStartMs - calmMs, () => this.#host.host.warn(endlessStart));
  }

  /** Everything accepts. */
  async #begin(): Promise<void> {
    // Now, not later: the first request may keep the event loop. Not awaited: the manager may read it when it likes.
    void this.#messages.send({ ready: true });
    this.#isReady = true;
    this.#endHint();
    this.#letGo = this.#host.keepAlive();
    // The client who started the daemon waits, and nobody waits for the rest as urgently.
    const isAwaited = this.#context.opened.some(({ activated }) => activated);
    await (isAwaited ? this.#host.pause(breathMs) : undefined);
    this.#messages.open();
    if (this.#isStopping) return;
    this.#tellAll();
    this.#reloader.open();
    this.#watchIdle();
    const { watchdog = true } = this.#options;
    if (watchdog === false) return;
    try {
      this.#watchdog = await this.#host.watchdog(watchdog === true ? {} : watchdog);
    } catch (error) {
      // It is not needed any more, and what it needs may have been stopped.
      if (!this.#isStopping) this.#fail("Cannot start", error);
    }
  }

  #tell(part: Part): void {
    this.#host.log("info", servingLine(part));
  }

  /** Says what it serves with, and what it does not use of what it was passed. */
  #tellAll(): void {
    this.#isTold = true;
    for (const part of this.#context.opened) this.#tell(part);
    const unclaimed = this.#unclaimed();
    if (unclaimed.length === 0) return;
    const { host } = this.#host;
    void import("./unclaimed.late.ts").then(({ warnOfUnclaimed }) => warnOfUnclaimed(host, unclaimed));
  }

  #unclaimed(): readonly ListenFd[] {
    try {
      return this.#host.unclaimed();
    } catch {
      // Whoever listens is told what is wrong with the environment.
      return [];
    }
  }

  #watchIdle(): void {
    const { idleTimeout } = this.#options;
    if (idleTimeout === undefined) return;
    this.#endIdle = watchIdle({
      clock: this.#host,
      timeoutMs: idleTimeout,
      parts: this.#context.opened,
      canComeBack: () => this.#context.canComeBack,
      isBusy: () => this.#reloader.isBusy,
      // Nobody is told before who came at the last moment was answered.
      onIdle: () => this.#stop(),
    });
  }

  #fail(what: string, error: unknown): void {
    this.#status = 1;
    this.#host.log("err", `${what}: ${detailsOf(error)}`);
    const failure = { status: `${what}: ${messageOf(error)}`, errno: errnoOf(error) };
    if (this.#isAnnounced) void this.#messages.send(failure);
    else this.#announce(failure);
    this.#stop();
  }

  /** Tells the service manager and the context that it stops. */
  #announce(failure: { readonly status?: string; readonly errno?: string } = {}): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#reloader.end();
    this.#messages.send({ stopping: true, ...failure });
    this.#context.abort();
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#endHint();
    this.#endIdle();
    void this.#finish();
  }

  async #finish(): Promise<void> {
    const host = this.#host;
    const report = (what: string) => (error: unknown) => {
      this.#status = 1;
      host.log("err", `${what}: ${detailsOf(error)}`);
    };
    const deadline = deadlineOf(host, this.#drainTimeout);
    const endExtending = keepExtending(host, (extendTimeoutMs) => {
      if (this.#isAnnounced && !deadline.isOver()) void this.#messages.send({ extendTimeoutMs });
    });
    const parts = this.#context.end();
    await drainAll({ clock: host, parts, setUp: this.#setUp, deadline, report: report("Cannot stop") });
    this.#announce();
    await cleanUp(this.#context.cleanups, report("A cleanup failed"));
    endExtending();
    deadline.cancel();
    this.#watchdog?.stop();
    this.#messages.end();
    await settledBy(host, this.#messages.flush(), host.flushMs());
    host.exit(this.#status);
    this.#end();
  }
}
