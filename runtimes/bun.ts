/**
 * fd3 for Bun.
 *
 * @module
 */
import type { Api } from "../src/api.ts";
import { ownOptions } from "../src/activation/choose.ts";
import type { DaemonApi, DaemonContext, DaemonOptions } from "../src/daemon/types.ts";
import { createFd3, type Fd3 } from "../src/fd3.ts";
import { withFreeFds } from "../src/free_fds.ts";
import { type Adapter, listenWith } from "../src/listen.ts";
import type { NotifyApi } from "../src/notify/types.ts";
import { checkRuntime, type Runtime } from "../src/runtime.ts";
import type { ServiceApi } from "../src/service/types.ts";
import type { ListenOptions } from "../src/types.ts";
import { bunHost as host } from "./bun/host.ts";
import { openBunFunctions } from "./bun/libc.ts";
import { adoptBun, openBun } from "./bun/listener.ts";
import { adoptNative } from "./bun/native.ts";
import type { ServeNativeOptions } from "./bun/serve/native.late.ts";
import type { BunListener, BunServer, BunSocketHandlers } from "./bun/types.ts";
import { currentRuntime } from "./shared/common.ts";
import { processDaemon, processParts } from "./shared/process_host.ts";
import { processService } from "./shared/process_service.ts";

export { Fd3Error, type Fd3ErrorCode } from "../src/errors.ts";
export type * from "../src/api.ts";
export type * from "../src/attach/types.ts";
export type * from "../src/daemon/types.ts";
export type * from "../src/http/types.ts";
export type * from "../src/notify/types.ts";
export type * from "../src/service/types.ts";
export type * from "../src/types.ts";
export type { ServeNativeOptions } from "./bun/serve/native.late.ts";
export type {
  BunHeaders,
  BunListener,
  BunServeOptions,
  BunServer,
  BunSocket,
  BunSocketAddress,
  BunSocketHandlers,
  BunWebSocket,
  BunWebSocketHandlers,
} from "./bun/types.ts";

const loadNative = () => withFreeFds(host, "serve", () => import("./bun/serve/native.late.ts"));

const runtime: Runtime = {
  ...processParts,
  host,
  service: processService,
  open: openBunFunctions,
  current: currentRuntime,
  streams: { adopt: adoptBun, open: openBun },
  daemon: processDaemon,
  loadNotify: () => import("./bun/notify.late.ts"),
  loadHttp: () => import("./bun/http.late.ts"),
  loadAttach: () => import("./bun/attach.late.ts"),
  async serveNative([options], times) {
    const { serveOwn } = await loadNative();
    return await serveOwn({ ...(options as ServeNativeOptions), ...times });
  },
};

const fd3: Fd3 = createFd3(runtime);

/** Options of {@linkcode listenNative}: those of `listen()` and of `Bun.listen()`. */
export interface ListenNativeOptions extends ListenOptions {
  /** The handlers, as for `Bun.listen()`. */
  readonly socket: BunSocketHandlers;
  /** As for `Bun.listen()`. */
  readonly allowHalfOpen?: boolean;
  /** As for `Bun.listen()`. */
  readonly data?: unknown;
  /** As for `Bun.listen()`. */
  readonly tls?: unknown;
}

/**
 * What `Bun.listen()` gives, on the inherited socket or on the fallback address: for code that is written for Bun's own API.
 *
 * @throws {Fd3Error} As `listen`.
 * @param options `socket` as for `Bun.listen()`, the rest as for `listen`.
 * @returns The listener, which is the caller's to stop.
 *
 * @example Bun's own handlers (it runs on Bun alone)
 * ```ts
 * import { listenNative } from "@fd3/fd3/bun";
 *
 * if ("Bun" in globalThis) {
 *   const listener = await listenNative({
 *     fallback: "127.0.0.1:0",
 *     socket: { data: (socket, chunk) => void socket.write(chunk) },
 *   });
 *   listener.stop();
 * }
 * ```
 */
export async function listenNative(options: ListenNativeOptions): Promise<BunListener> {
  checkRuntime(runtime, "listen with Bun.listen()");
  const own = ownOptions(options);
  const native: Adapter<BunListener> = {
    host,
    adopt: async (choice) => (await adoptNative(choice, own)).native,
    open: async (address, access) => (await import("./bun/fallback.late.ts")).openNative(address, access, own),
  };
  return await listenWith(native, options);
}

/**
 * What `Bun.serve()` gives, on the inherited socket or on the fallback address: for code that is written for Bun's own API, with
 * routes, WebSocket handlers, TLS, `requestIP`, `reload` and all the rest. It tells the address of the inherited socket. Its `stop()`
 * leaves what was not accepted in the queue, for the next instance, and neither shuts the socket down nor deletes its path. Its
 * `shutdown()`, which Bun's own has not, drains as that of `serve()` does, with the same limits. With `all` the object of the first socket
 * speaks for all.
 *
 * `hostname`, `port` and `unix` have no effect: the address is the inherited one, or `fallback`. With `bun --hot` a program that is
 * evaluated anew gets the server that it has, with the new handlers.
 *
 * @throws {Fd3Error} As `listen`; `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if Bun's server did not take the descriptor.
 * @throws {TypeError} What Bun says of the options; and for `http3` on an inherited socket, since HTTP/3 needs a datagram socket.
 * @param options Those of `Bun.serve()`, and those of `listen`.
 *
 * @example Routes
 * ```ts ignore
 * import { serveNative } from "@fd3/fd3/bun";
 *
 * const server = await serveNative({
 *   fallback: "127.0.0.1:8080",
 *   routes: { "/health": new Response("fine\n") },
 *   fetch: (request, server) => new Response(`${server.requestIP(request)?.address}\n`),
 * });
 * console.log(server.url.href);
 * ```
 */
export async function serveNative(options: ServeNativeOptions): Promise<BunServer> {
  checkRuntime(runtime, "serve with Bun.serve()");
  const { serveOwn } = await loadNative();
  return (await serveOwn(options)).native;
}

/**
 * The descriptors that the service manager passed, as sd_listen_fds_with_names(3) answers. They are read once per process:
 * later calls, also from another copy of fd3, give the same list or throw the same error. The variables leave the
 * environment, on errors too, so that children never see them, and FD_CLOEXEC is set on each descriptor. (`Bun.spawn()` without
 * `env` passes on the environment of the start all the same: oven-sh/bun#34972.)
 *
 * | environment | result |
 * | --- | --- |
 * | LISTEN_PID or LISTEN_FDS unset | `[]` |
 * | LISTEN_PID (or LISTEN_PIDFDID) of another process | `[]` |
 * | LISTEN_FDS=2 | two, both named `unknown` |
 * | LISTEN_FDS=2 LISTEN_FDNAMES=a:b | two, named `a` and `b` |
 * | number of names differs, LISTEN_FDS is no number or below 1 | throws `EINVAL` |
 * | a number out of range | throws `ERANGE` |
 * | a descriptor is not open | throws `EBADF` |
 * | some were passed, and this is a worker | throws `ERR_FD3_PLATFORM` |
 *
 * Call it in the main thread: descriptors belong to the whole process, so a worker that sees some gets `ERR_FD3_PLATFORM`. A worker that
 * sees none gets `[]`, and `listen()` opens its `fallback` there.
 *
 * Deno permissions: `--allow-env=LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES`; with `--allow-ffi` it sets FD_CLOEXEC
 * and checks that each descriptor is open.
 *
 * @throws {Fd3Error} As in the table.
 * @param options `keepEnv` leaves the variables where they are.
 * @returns The descriptors in the order of the Listen…= lines of the unit.
 *
 * @example What was passed
 * ```ts
 * import { listenFds } from "@fd3/fd3";
 *
 * for (const { fd, name } of listenFds()) console.log(`fd ${fd} is ${name}`);
 * ```
 */
export const listenFds: Api["listenFds"] = fd3.listenFds;
/**
 * A stream listener: the inherited one, or one opened at `fallback` when none was passed at all.
 *
 * Deno permissions: those of {@linkcode Api.listenFds} and no more. With `--allow-ffi` and `--allow-net` it runs on Deno's own
 * listener, which starts in half the time; without them on node:net. A fallback needs `--allow-net`, or `--allow-read` and
 * `--allow-write` for a path.
 *
 * @throws {Fd3Error} `ERR_FD3_NO_FDS` if none was passed and there is no fallback, `ERR_FD3_TOO_MANY_FDS` if more than one
 * fits, `ERR_FD3_NAME` or `ERR_FD3_KIND` if some were passed and none fits, `EADDRINUSE` if the fallback address is taken,
 * and what `listenFds` throws.
 * @throws {TypeError} If an option is not of its kind.
 * @param options Which descriptor, and what to do without one.
 * @returns The listener, which accepts from now on.
 *
 * @example One listener, whoever opened its socket
 * ```ts
 * import { listen } from "@fd3/fd3";
 *
 * await using listener = await listen({ fallback: "127.0.0.1:0" });
 * console.log(listener.activated ? "systemd's socket" : "a socket of my own", listener.address);
 * ```
 */
export const listen: Api["listen"] = fd3.listen;
/**
 * Serves HTTP with a fetch handler, on the inherited socket or at `fallback`, at the speed of the runtime's own server.
 *
 * | engine | runs on | needs |
 * | --- | --- | --- |
 * | `deno-serve` | Deno | `--allow-ffi`, and `--allow-net` (`=127.0.0.1` is enough for TCP) |
 * | `bun-serve` | Bun | AF_INET, AF_INET6 and AF_UNIX, where RestrictAddressFamilies= is set |
 * | `node-http` | Node, Deno, Bun | the package @hono/node-server, which comes with fd3 |
 *
 * A handler that fails is a 500 and never ends the process; so is one that returns no `Response`. `request.url` has the
 * authority of the Host header, and `http:` or `https:` also on a Unix socket; a request whose Host is no authority gets a 400.
 *
 * On Node the global `Request` and `Response` become those of @hono/node-server, which extend them: real ones cost more than all the
 * rest. `fetch(request)` of undici takes real ones alone: write `fetch(new Request(request))` there.
 *
 * @throws {Fd3Error} What `listen` throws, and `ERR_FD3_PLATFORM` if the engine that is forced is of another runtime.
 * @throws {TypeError} If the handler or an option is not of its kind.
 * @param handler Answers one request.
 * @param options Those of `listen`, and how to serve.
 *
 * @example A server that ends on SIGTERM
 * ```ts
 * import { serve, terminated } from "@fd3/fd3";
 *
 * const server = await serve(() => new Response("Hello World"), { fallback: "127.0.0.1:0", signal: terminated() });
 * console.log(server.engine, server.address);
 * setTimeout(() => server.shutdown(), 10); // A daemon does without this line.
 * await server.finished;
 * ```
 */
export const serve: Api["serve"] = fd3.serve;
/**
 * Makes any server of node:net, http, https, http2 or tls listen on the inherited socket, or on the fallback address. Express, Fastify,
 * Koa, Hono and h3 are attached through the server that they run on. Its `shutdown()` drains as that of `serve()` does, with the same limits;
 * the server's own `close()` still does what it does. Until then the server is as its owner made it, timeouts included.
 *
 * What counts as in flight: a request without a whole answer, and with node:net or node:tls a connection. WebSockets of any library that
 * listens for `upgrade`, and responses of unknown length that are still written, have `streamTimeout`.
 *
 * On Bun, a server with TLS needs AF_INET, AF_INET6 and AF_UNIX where RestrictAddressFamilies= is set (systemd.exec(5)); one of node:http is
 * slower without them, and a warning says so.
 *
 * @throws {Fd3Error} As `listen`; `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if the server did not take the descriptor, which happens on Bun alone.
 * @throws {TypeError} If the server is none, or listens already.
 * @param server The server, not listening yet.
 * @param options Those of `listen`, and how it ends.
 * @returns Where it listens, and what ends it.
 *
 * @example An HTTP server
 * ```ts
 * import { createServer } from "node:http";
 * import { attach } from "@fd3/fd3";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * const attached = await attach(server, { fallback: "127.0.0.1:0" });
 * console.log(attached.address);
 * await attached.shutdown();
 * ```
 */
export const attach: Api["attach"] = fd3.attach;
/**
 * A signal that aborts on the first SIGTERM or SIGINT. From the first call on neither ends the process by itself. It does not load
 * `node:process`, which doubles the time that Deno takes to start.
 *
 * @returns The same signal each time.
 *
 * @example Stopping
 * ```ts
 * import { listen, terminated } from "@fd3/fd3";
 *
 * const listener = await listen({ fallback: "127.0.0.1:0" });
 * terminated().addEventListener("abort", () => listener.close());
 * await listener.close();
 * ```
 */
export const terminated: Api["terminated"] = fd3.terminated;
/**
 * The command line, without loading `node:process` on Deno.
 *
 * @returns The arguments behind the runtime and the script.
 *
 * @example An address as the only argument
 * ```ts
 * import { args } from "@fd3/fd3";
 *
 * const [address = "/run/foobar.sk"] = args();
 * console.log(address);
 * ```
 */
export const args: Api["args"] = fd3.args;
/**
 * Ends the process, without loading `node:process` on Deno.
 *
 * @param status The exit status, 0 to 255.
 *
 * @example What cannot start
 * ```ts
 * import { exit, listenFds } from "@fd3/fd3";
 *
 * if (listenFds().length > 1) exit(1);
 * ```
 */
export const exit: Api["exit"] = fd3.exit;
/**
 * Tells the service manager how the service is: sd_notify(3). With FFI the message has left when this returns, before the promise is
 * awaited, if any function of this interface was awaited before and the service manager has room for it. Otherwise messages leave one
 * after the other.
 *
 * A manager that does not read never stops the event loop: what must arrive waits, in order, and its promise with it. `status`,
 * `watchdog: "ping"` and `extendTimeoutMs` alone may be lost: while something waits, the latest of each is kept, for a `true` at once.
 *
 * | NOTIFY_SOCKET | result |
 * | --- | --- |
 * | unset | `false`, and nothing is sent |
 * | a socket that takes it | `true`: it is queued, or kept; whether it counts is up to NotifyAccess= |
 * | empty, relative, `/` or `@` alone | throws `EINVAL` |
 * | longer than 107 bytes | throws `ENAMETOOLONG` |
 * | nothing there, nobody listens, no datagram socket | throws `ENOENT`, `ECONNREFUSED`, `EPROTOTYPE` |
 * | a vsock | throws `ERR_FD3_PLATFORM` |
 *
 * @throws {Fd3Error} As in the table; `EBADF` if a descriptor to send is not open, `ERR_FD3_FFI` if it cannot be sent from here.
 * @throws {TypeError} If a field is unknown or not of its kind, or has a newline or NUL in it, which would add fields.
 * @throws {RangeError} If the message is longer than 4096 bytes: the service manager drops such without a word. Or if a number is.
 * @param state What to say.
 * @param options `pid`, `keepEnv`.
 * @returns Whether there was somebody to send it to.
 *
 * @example Ready, with a line for `systemctl status`
 * ```ts
 * import { notify } from "@fd3/fd3";
 *
 * await notify({ ready: true, status: "Serving" });
 * ```
 */
export const notify: NotifyApi["notify"] = fd3.notify;
/**
 * Waits until the service manager has read all that was sent before: sd_notify_barrier(3). Only a process that ends at once, or that
 * is not the service's, needs it. It needs FFI.
 *
 * @throws {Fd3Error} `ETIMEDOUT` if it takes longer, `ERR_FD3_FFI` without FFI, and what {@linkcode NotifyApi.notify} throws.
 * @throws {RangeError} If the time is no number from 0 up.
 * @param timeoutMs How long to wait, in milliseconds; Infinity is for ever. 5000 if nothing is said.
 * @param options `keepEnv`.
 * @returns Whether there was somebody to wait for.
 */
export const barrier: NotifyApi["barrier"] = fd3.barrier;
/**
 * Gives the service manager a duplicate of a descriptor, to keep until the next start: FILE_DESCRIPTOR_STORE of systemd. The next
 * start finds it by its name: {@linkcode Api.listenFds}, `listen()`, {@linkcode ServiceApi.takeFd}. The unit needs FileDescriptorStoreMax=.
 * The store outlives `systemctl restart` and a crash, not `systemctl stop`. It needs FFI.
 *
 * @throws {Fd3Error} `EBADF` if it is not open, `EINVAL` if there are more than 253, `ERR_FD3_FFI` without FFI, and what
 * {@linkcode NotifyApi.notify} throws.
 * @throws {TypeError} If the name is longer than 255 characters, or has others than printable ASCII, or a colon or backslash.
 * @param name The name; not unique, see {@linkcode NotifyApi.removeFd}.
 * @param fd A descriptor, or several under one name.
 * @param options `poll`, `keepEnv`.
 * @returns Whether there was somebody to send it to. A unit without a store drops it without a word.
 */
export const storeFd: NotifyApi["storeFd"] = fd3.storeFd;
/**
 * Takes all descriptors of a name out of the store, and closes them there. What is open here stays open.
 *
 * @throws {Fd3Error} What {@linkcode NotifyApi.notify} throws.
 * @throws {TypeError} If it can be no name of a stored descriptor.
 * @param name The name.
 * @param options `keepEnv`.
 * @returns Whether there was somebody to tell.
 */
export const removeFd: NotifyApi["removeFd"] = fd3.removeFd;
/**
 * Closes a descriptor that was passed and that nobody took, and takes its name out of the store: for what an earlier version of the
 * service stored. The store knows names alone: what you still use under the same name must be stored again.
 *
 * @throws {Fd3Error} `ERR_FD3_TAKEN` if it was taken, `EBADF` if it was not passed, `ERR_FD3_FFI` on Deno without FFI, and what
 * {@linkcode NotifyApi.notify} throws.
 * @param passed One of {@linkcode ServiceApi.unclaimedFds}.
 * @param options `keepEnv`.
 * @returns Whether there was somebody to tell.
 */
export const dropFd: NotifyApi["dropFd"] = fd3.dropFd;
/**
 * Proves to the service manager that the service is alive: a ping at once and then at half of WatchdogSec=, from the event loop, so
 * that a blocked loop is found. It does not keep the process alive. As sd_watchdog_enabled(3):
 *
 * | environment | result |
 * | --- | --- |
 * | WATCHDOG_USEC unset | `undefined` |
 * | WATCHDOG_PID of another process | `undefined` |
 * | WATCHDOG_USEC=20000000, WATCHDOG_PID unset or ours | pings every 10 s |
 * | WATCHDOG_USEC is no number, 0 or 2^64-1; WATCHDOG_PID is no number | throws `EINVAL` |
 * | one out of range | throws `ERANGE` |
 *
 * @throws {Fd3Error} As in the table.
 * @throws {TypeError} If an option is not of its kind.
 * @param options A health check, and what happens when it fails.
 * @returns `undefined` where nobody waits for pings.
 */
export const watchdog: NotifyApi["watchdog"] = fd3.watchdog;
/**
 * How messages are sent from here, and what is impossible that way. Nothing is sent.
 *
 * @param options `keepEnv`.
 */
export const capabilities: NotifyApi["capabilities"] = fd3.capabilities;
/**
 * Takes a descriptor that was passed, such as a memfd out of the store, for whoever calls. From then on the caller owns it, and neither
 * `listen()` nor another `takeFd()` gives it out. A descriptor that was taken so does not count as passed for `listen()`: with it alone,
 * `fallback` is used.
 *
 * | what was passed | result |
 * | --- | --- |
 * | none of that name | `undefined` |
 * | one or more | the first that is not taken |
 * | all of that name are taken | throws `ERR_FD3_TAKEN` |
 *
 * Deno permissions: those of {@linkcode Api.listenFds}.
 *
 * @throws {Fd3Error} `ERR_FD3_TAKEN` as in the table, and what `listenFds` throws.
 * @throws {TypeError} If the name is no string.
 * @param name FileDescriptorName= of the socket, or the name in the store.
 * @param options `keepEnv`.
 * @returns Its number.
 */
export const takeFd: ServiceApi["takeFd"] = fd3.takeFd;
/**
 * The descriptors that were passed and that nobody took until now. Once a service has taken what it knows, the rest is what an earlier
 * version of it left in the store: {@linkcode NotifyApi.dropFd} it.
 *
 * @throws {Fd3Error} What `listenFds` throws.
 * @param options `keepEnv`.
 */
export const unclaimedFds: ServiceApi["unclaimedFds"] = fd3.unclaimedFds;
/**
 * Whether systemd runs this machine or container: sd_booted(3). It does not say that this process is a service of it.
 *
 * Deno permissions: `--allow-read=/run/systemd/system`, or `--allow-ffi`.
 *
 * @throws {Fd3Error} `EACCES` if it cannot be looked at, `ENOTDIR` if there is a file in the way.
 */
export const booted: ServiceApi["booted"] = fd3.booted;
/**
 * Writes a line to stderr. If that is the journal, as JOURNAL_STREAM says, each line of the message begins with its priority as
 * `<3>`: see sd-daemon(3). A line longer than the journal's 48 KiB is written as several. It never throws: what cannot be written is lost.
 *
 * Deno permissions: `--allow-env=JOURNAL_STREAM`; without it there are no prefixes.
 *
 * @throws {TypeError} If the priority is unknown.
 * @param priority How urgent it is.
 * @param message One line or more.
 */
export const log: ServiceApi["log"] = fd3.log;
/**
 * A secret that systemd passed: the file of this name in $CREDENTIALS_DIRECTORY. See LoadCredential= in systemd.exec(5).
 *
 * Deno permissions: `--allow-env=CREDENTIALS_DIRECTORY`, and `--allow-read` of that folder, `/run/credentials`.
 *
 * @throws {Fd3Error} `EACCES` if it may not be read, `EINVAL` if the folder is no absolute path.
 * @throws {TypeError} If it can be no credential's name: it has a slash or a colon in it, is `.` or `..`, or is no printable ASCII.
 * @param name Its name.
 * @returns `undefined` if none of that name was passed, or none at all.
 *
 * @example A password that a service cannot do without
 * ```ts
 * import { credential } from "@fd3/fd3";
 *
 * function password(): string {
 *   const found = credential("database-password");
 *   // No `?? "secret"`: a service whose LoadCredential= was forgotten would take that.
 *   if (found === undefined) throw new Error("The unit lacks LoadCredential=database-password:PATH");
 *   return found.text().trimEnd();
 * }
 * console.log(password);
 * ```
 */
export const credential: ServiceApi["credential"] = fd3.credential;
/**
 * The folders of a kind that systemd made for the service: $STATE_DIRECTORY, $RUNTIME_DIRECTORY, $CACHE_DIRECTORY, $LOGS_DIRECTORY
 * or $CONFIGURATION_DIRECTORY.
 *
 * Deno permissions: `--allow-env` of the one that is asked for.
 *
 * @throws {TypeError} If the kind is unknown.
 * @param kind Which folders.
 * @returns Their absolute paths in the order of the unit; empty if there are none.
 */
export const directories: ServiceApi["directories"] = fd3.directories;
/** What `setup` gets on Bun. */
export interface BunDaemonContext extends DaemonContext {
  /**
   * {@linkcode serveNative}, whose server is drained when the daemon stops. `drainTimeout` and `streamTimeout` are the daemon's.
   *
   * @throws {Fd3Error} What `serveNative()` throws, and `ERR_FD3_CLOSED` once the daemon stops.
   */
  serveNative(options: ServeNativeOptions): Promise<BunServer>;
}

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
export const daemon: (setup: (context: BunDaemonContext) => unknown, options?: DaemonOptions) => Promise<void> = fd3
  .daemon as DaemonApi["daemon"] as typeof daemon;
