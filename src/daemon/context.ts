import { Fd3Error } from "../errors.ts";
import type { AttachOptions, NetServer } from "../attach/types.ts";
import type { HttpServer, RunningServer, ServeHandler, ServeOptions } from "../http/types.ts";
import type { Listener, ListenOptions } from "../types.ts";
import type { DaemonHost, Served, Times } from "./daemon_host.ts";
import type { Messages } from "./messages.ts";
import { ListenerPart, type Part, ServerPart } from "./part.ts";
import type { DaemonContext } from "./types.ts";

/** What a context is made of. */
export interface ContextParts {
  readonly host: DaemonHost;
  readonly messages: Messages;
  readonly times: Times;
  /** Told of what it serves with, once it accepts. */
  readonly onOpen: (part: Part) => void;
  /** Told of a server that ended by itself. */
  readonly onEnd: (error: unknown) => void;
}

/** What `setup` opened, and how. */
export class Context {
  readonly #parts: ContextParts;
  readonly #controller: AbortController = new AbortController();
  /** What it serves with now. */
  readonly opened: Part[] = [];
  /** What is called at the end, the last one first. */
  readonly cleanups: (() => unknown)[] = [];
  #isOver = false;
  /** Of what has ended. */
  #hadInherited = false;
  #hadOwn = false;

  constructor(parts: ContextParts) {
    this.#parts = parts;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the next client starts the daemon again: not where it opened a socket of its own, which ends with it, or none. */
  get canComeBack(): boolean {
    if (this.#hadOwn || (this.opened.length === 0 && !this.#hadInherited)) return false;
    return this.opened.every(({ activated }) => activated);
  }

  /** What `setup` gets: it may take the functions out of it. */
  get given(): DaemonContext {
    return {
      signal: this.signal,
      listen: (options) => this.listen(options),
      serve: (handler, options) => this.serve(handler, options),
      attach: (server, options) => this.attach(server, options),
      // Only the entry points of runtimes that have a server of their own declare it.
      ...{ serveNative: (...args: readonly unknown[]) => this.serveNative(args) },
      status: (text) => this.status(text),
      cleanup: (callback) => this.cleanup(callback),
    };
  }

  /** Tells who heeds the signal that the daemon stops. */
  abort(): void {
    this.#controller.abort();
  }

  /** From now on nothing more is opened. Gives what is. */
  end(): readonly Part[] {
    this.#isOver = true;
    return this.opened;
  }

  async listen(options?: ListenOptions): Promise<Listener> {
    this.#check("listen");
    const { host } = this.#parts;
    const loading = host.prepare();
    if (loading !== undefined) await loading;
    const part = new ListenerPart(await host.listen(options), host, (part) => this.#drop(part));
    if (this.#isOver) await part.close();
    this.#check("listen");
    this.#add(part);
    return part;
  }

  async serve(handler: ServeHandler, options: ServeOptions = {}): Promise<HttpServer> {
    const { host, times } = this.#parts;
    const { server } = await this.#open(
      "serve",
      () => host.serve(handler, { ...options, signal: undefined, ...times }),
    );
    return server as HttpServer;
  }

  async attach(server: NetServer, options: AttachOptions = {}): Promise<RunningServer> {
    const { host, times } = this.#parts;
    const attached = await this.#open(
      "attach",
      () => host.attach(server, { ...options, signal: undefined, ...times }),
    );
    return attached.server;
  }

  async serveNative(args: readonly unknown[]): Promise<unknown> {
    const { host, times } = this.#parts;
    return (await this.#open("serve", () => host.serveNative(args, times))).native;
  }

  async #open<S extends Served>(action: string, open: () => Promise<S>): Promise<S> {
    this.#check(action);
    const loading = this.#parts.host.prepare();
    if (loading !== undefined) await loading;
    const served = await open();
    const { server } = served;
    if (this.#isOver) await server.shutdown();
    this.#check(action);
    const part = new ServerPart(served);
    this.#add(part);
    server.finished.then(() => this.#drop(part), this.#parts.onEnd);
    return served;
  }

  #add(part: Part): void {
    this.opened.push(part);
    this.#parts.onOpen(part);
  }

  /** Lets go of what has ended: a daemon may listen and serve anew again and again. */
  #drop(part: Part): void {
    const at = this.opened.indexOf(part);
    if (at < 0) return;
    this.opened.splice(at, 1);
    if (part.activated) this.#hadInherited = true;
    else this.#hadOwn = true;
  }

  /** @throws {Fd3Error} `ERR_FD3_CLOSED` once the daemon stops. */
  #check(action: string): void {
    if (this.#isOver) throw new Fd3Error("ERR_FD3_CLOSED", `Cannot ${action}: the daemon is stopping`);
  }

  status(text: string): void {
    this.#parts.messages.setStatus(text);
  }

  cleanup(callback: () => unknown): void {
    if (typeof callback !== "function") {
      throw new TypeError(`Cannot register a cleanup: it is ${typeof callback}, not a function`);
    }
    this.cleanups.push(callback);
  }
}
