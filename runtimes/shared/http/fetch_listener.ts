import { Fd3Error } from "../../../src/errors.ts";
import { isLack } from "../../../src/free_fds.ts";
import type { Host } from "../../../src/host.ts";
import type { Report } from "../../../src/http/exchanges.ts";
import { systemError } from "../../../src/system_error.ts";
import { noteAbort } from "./connection.ts";
import type { HonoEnv, HonoModule, NodeHttpListener } from "./types.ts";

async function loadHono(): Promise<HonoModule> {
  try {
    // A name that deno publish, esbuild and tsc can read: each finds the package in its own way.
    return await import("@hono/node-server") as unknown as HonoModule;
  } catch (cause) {
    if (isLack(cause)) throw systemError("serve with node-http", cause);
    const text = "Cannot serve with node-http: the package @hono/node-server cannot be loaded";
    throw new Fd3Error("ERR_FD3_PLATFORM", text, { cause });
  }
}

/** Makes a real `Request` of the adapter's. */
type Genuine = new (request: Request) => Request;

/**
 * The adapter's subclass of `Request`, the one way to a real one. It comes only as the global `Request`, so it is made that for a moment,
 * in which nothing else runs.
 */
function genuineRequest(hono: HonoModule): Genuine {
  const names = ["Request", "Response"];
  const own = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)!);
  try {
    hono.getRequestListener(() => new Response(), { overrideGlobalObjects: true, hostname: "" });
    return globalThis.Request;
  } finally {
    names.forEach((name, i) => Object.defineProperty(globalThis, name, own[i]));
  }
}

const SWITCHING_PROTOCOLS = 101;

/**
 * The response, unless it is that of `Deno.upgradeWebSocket()`, the one way to a 101: node:http has no connection for it, so the client
 * would talk to nobody.
 */
function withoutUpgrade(response: Response, report: Report): Response {
  if (response.status !== SWITCHING_PROTOCOLS) return response;
  const text = "Cannot upgrade the connection: the engine is node-http, and Deno.upgradeWebSocket() needs deno-serve";
  report(new Fd3Error("ERR_FD3_PLATFORM", text));
  return new Response("Not Implemented", { status: 501 });
}

/** A fetch handler that is told which messages of node:http it answers. */
export type FetchHandler = (request: Request, env: HonoEnv) => Response | Promise<Response>;

/** The adapter's light `Request`, with what it aborts its signal by. */
type Light = Request & Record<symbol, ((reason: unknown) => void) | undefined>;

/**
 * Aborts the signal of a request, as the adapter does where a client is gone.
 *
 * @param request The adapter's.
 * @param reason What its signal says.
 */
function abortLight(request: Light, reason: unknown): void {
  for (let object: object = request; object !== null; object = Object.getPrototypeOf(object)) {
    const key = Object.getOwnPropertySymbols(object).find(({ description }) => description === "abortRequest");
    if (key !== undefined) return void request[key]?.(reason);
  }
}

/**
 * A fetch handler as a listener of node:http.
 *
 * The adapter's requests are light objects that become real ones when they must. On **Node** a real `Request` or `Response` costs more
 * than all the rest, so there the adapter's classes take the place of the global ones; they extend these and are `instanceof` them. On
 * **Deno** and **Bun**, whose own servers want real ones, no global is touched; Deno accepts nothing but a real `Request` in `fetch()`
 * and `new Request()`, so the handler gets one.
 *
 * @param runtime Which runtime this is.
 * @param handler Answers the requests.
 * @param report Takes what a client is not told.
 * @param options `hostname` is what `request.url` has where the client sent no Host header, as HTTP/1.0 allows; it is read at each request.
 */
export async function fetchListener(
  runtime: Host["runtime"],
  handler: FetchHandler,
  report: Report,
  options: { hostname: string },
): Promise<NodeHttpListener> {
  const hono = await loadHono();
  const all = Object.assign(options, { overrideGlobalObjects: runtime === "Node" });
  const note = (request: Request, { outgoing }: HonoEnv) =>
    noteAbort(outgoing, (reason) => abortLight(request as Light, reason));
  if (runtime !== "Deno") {
    return hono.getRequestListener((request, env) => {
      note(request, env);
      return handler(request, env);
    }, all);
  }
  const Genuine = genuineRequest(hono);
  return hono.getRequestListener((request, env) => {
    note(request, env);
    const response = handler(new Genuine(request), env);
    if (response instanceof Response) return withoutUpgrade(response, report);
    return response.then((later) => withoutUpgrade(later, report));
  }, all);
}
