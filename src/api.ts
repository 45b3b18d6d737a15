import type { AttachOptions, NetServer } from "./attach/types.ts";
import type { HttpServer, RunningServer, ServeHandler, ServeOptions } from "./http/types.ts";
import type { Listener, ListenFd, ListenFdsOptions, ListenOptions } from "./types.ts";

/** What every entry point of fd3 offers, on every runtime. */
export interface Api {
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
  listenFds(options?: ListenFdsOptions): ListenFd[];
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
  listen(options?: ListenOptions): Promise<Listener>;
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
  serve(handler: ServeHandler, options?: ServeOptions): Promise<HttpServer>;
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
  attach(server: NetServer, options?: AttachOptions): Promise<RunningServer>;
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
  terminated(): AbortSignal;
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
  args(): readonly string[];
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
  exit(status: number): never;
}
