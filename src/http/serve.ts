import { Fd3Error } from "../errors.ts";
import { isLack } from "../free_fds.ts";
import { hasLibc, type Host } from "../host.ts";
import type { Adapter } from "../listen.ts";
import type { Engine, EngineMaker } from "./engine.ts";
import { defaultIdleTimeout } from "./idle.ts";
import { checkServeOptions } from "./options.ts";
import { Responder } from "./responder.ts";
import { EngineServer, openParts, type ServerLog, type ServerParts } from "./server.ts";
import type { ServeHandler, ServeOptions, TlsOptions } from "./types.ts";
import type { WebSocketHandlers } from "./web_socket_types.ts";
import type { WebSockets } from "./web_sockets.late.ts";

/** How one runtime serves. */
export interface ServeAdapter {
  readonly host: Host;
  /** What it has, the fastest first. Where one cannot be had, the next is tried. */
  readonly engines: readonly EngineMaker[];
  readonly log: ServerLog;
  /**
   * @throws {TypeError} If they are not a certificate and its key.
   */
  checkTls(tls: TlsOptions): void;
}

function wanted({ host, engines }: ServeAdapter, { engine }: ServeOptions): readonly EngineMaker[] {
  if (engine === undefined) return engines;
  const forced = engines.filter(({ name }) => name === engine);
  if (forced.length > 0) return forced;
  const names = engines.map(({ name }) => name).join(" and ");
  throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot serve with ${engine}: ${host.runtime} has ${names}`);
}

const obstacleCodes: readonly unknown[] = ["ERR_FD3_FFI", "ERR_FD3_PLATFORM", "ERR_FD3_TRANSPLANT"];

/** Whether this engine cannot be had, and another may. */
function isObstacle(error: unknown): error is Fd3Error {
  return error instanceof Fd3Error && obstacleCodes.includes(error.code) && !isLack(error);
}

/**
 * The first engine that can be had. Who gets a slower one than could be is told why, unless it is a choice of theirs (no FFI) or the runtime
 * never has it (TLS).
 *
 * @throws {Fd3Error} Where there is none, what is the matter with the first, and with the others behind it.
 */
async function firstOf(
  { host }: ServeAdapter,
  makers: readonly EngineMaker[],
  make: (maker: EngineMaker) => Engine | Promise<Engine>,
): Promise<Engine> {
  const obstacles: Fd3Error[] = [];
  for (const maker of makers) {
    try {
      const engine = await make(maker);
      const [why] = obstacles;
      if (why !== undefined && why.code !== "ERR_FD3_PLATFORM" && hasLibc(host.libc())) {
        host.warn(`serves with ${maker.name}, which is slower than ${makers[0].name}: ${why.message}`);
      }
      return engine;
    } catch (error) {
      if (!isObstacle(error)) throw error;
      obstacles.push(error);
    }
  }
  const [first, ...rest] = obstacles;
  if (rest.length === 0) throw first;
  throw new Fd3Error(first.code, obstacles.map(({ message }) => message).join("; "), { cause: first });
}

/** Loaded late: most servers have none. */
async function webSocketsOf(handlers: WebSocketHandlers, { report }: ServerLog): Promise<WebSockets> {
  const { WebSockets } = await import("./web_sockets.late.ts");
  return new WebSockets(handlers, report);
}

/**
 * The way of every `serve()`.
 *
 * @throws {Fd3Error} See {@linkcode Api.serve}.
 * @throws {TypeError} If the handler or an option is not of its kind.
 * @param adapter The runtime's part.
 * @param handler The user's.
 * @param options What the caller gave.
 */
export async function serveWith(
  adapter: ServeAdapter,
  handler: ServeHandler,
  options: ServeOptions,
): Promise<EngineServer> {
  checkServeOptions(handler, options);
  const makers = wanted(adapter, options);
  const { host, log } = adapter;
  const webSockets = options.websocket && await webSocketsOf(options.websocket, log);
  const responder = new Responder(handler, options.onError, log.report, webSockets);
  const { tls, onListen } = options;
  if (tls !== undefined) adapter.checkTls(tls);
  const listening: Adapter<ServerParts> = {
    host,
    adopt: async (choice) => {
      const engine = await firstOf(adapter, makers, (maker) => maker.adopt(choice, responder, tls));
      return { engine, log, activated: true, name: choice.name };
    },
    open: async (address, access) => {
      const engine = await firstOf(adapter, makers, (maker) => maker.open(address, access, responder, tls));
      return { engine, log, activated: false, name: undefined };
    },
  };
  const parts = await openParts(listening, options);
  try {
    onListen?.(parts.engine.address);
  } catch (error) {
    parts.engine.stopAccepting();
    parts.engine.abort();
    throw error;
  }
  const { idleConnectionTimeout = defaultIdleTimeout } = options;
  return new EngineServer({ ...parts, webSockets }, { ...options, idleConnectionTimeout });
}
