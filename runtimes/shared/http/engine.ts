import { authorityOf } from "../../../src/http/authority.ts";
import type { Host } from "../../../src/host.ts";
import type { Engine, EngineHandler, EngineMaker, OpenPart, StreamKind } from "../../../src/http/engine.ts";
import type { Report } from "../../../src/http/exchanges.ts";
import type { TlsOptions } from "../../../src/http/types.ts";
import type { Address } from "../../../src/types.ts";
import { builtin } from "../common.ts";
import { fetchListener } from "./fetch_listener.ts";
import { HttpConnections } from "./connections.ts";
import { closeIdleConnections, untilRead } from "./idle.ts";
import type { HttpListening, HttpParts, HttpWays } from "./listening.ts";
import type { NodeHttpListener, NodeHttpModule, NodeHttpServer, ServerResponse } from "./types.ts";

/** A server of node:http as an engine. */
export class NodeHttpEngine implements Engine {
  readonly name = "node-http";
  readonly address: Address;
  readonly finished: Promise<void>;
  readonly #server: NodeHttpServer;
  readonly #all: HttpConnections;
  readonly #listening: HttpListening;
  #isAccepting = true;
  #endIdle = () => {};

  constructor({ server, connections }: HttpParts, listening: HttpListening) {
    this.#server = server;
    this.#all = connections;
    this.#listening = listening;
    this.address = connections.listener = listening.address;
    // A failed accept is no end: without a listener it would be an uncaught error.
    server.on("error", () => {});
    this.finished = new Promise((resolve) => server.once("close", resolve));
  }

  stopAccepting(): void {
    if (!this.#isAccepting) return;
    this.#isAccepting = false;
    this.#endIdle();
    this.#all.startClosing();
    this.#listening.stop();
  }

  inFlight(): number {
    return this.#all.inFlight;
  }

  streams(): number {
    return this.#all.streams;
  }

  unread(): number | undefined {
    return this.#listening.unread();
  }

  connections(): number | undefined {
    return this.#listening.connections();
  }

  handled(): number {
    return this.#all.handled;
  }

  open(): OpenPart[] {
    return this.#all.parts;
  }

  abortStreams(which: StreamKind): void {
    this.#all.abortStreams(which);
  }

  endStreams(): void {
    this.#all.endStreams();
  }

  closeIdle(limitMs: number): void {
    this.#endIdle = closeIdleConnections(this.#all, limitMs);
  }

  async close(): Promise<void> {
    this.stopAccepting();
    // A request that has arrived by now is read before its connection looks idle.
    await untilRead();
    this.#listening.end();
    await this.finished;
  }

  abort(): void {
    this.stopAccepting();
    this.#listening.abort();
  }

  ref(): void {
    this.#server.ref();
  }

  unref(): void {
    this.#server.unref();
  }
}

function createServer(tls: TlsOptions | undefined, options: object): NodeHttpServer {
  if (tls === undefined) return builtin<NodeHttpModule>("node:http").createServer(options);
  const { cert, key } = tls;
  try {
    return builtin<NodeHttpModule>("node:https").createServer({ ...options, cert, key });
  } catch (cause) {
    throw new TypeError("Cannot serve: tls.cert and tls.key are no certificate with its key", { cause });
  }
}

/** What node:http refuses to send: a status or a header that the adapter's light `Response` has not looked at. */
function fail(outgoing: ServerResponse): void {
  if (outgoing.headersSent) return outgoing.destroy();
  const text = "Internal Server Error";
  // The adapter may have set another length already.
  outgoing.writeHead(500, { "content-type": "text/plain", "content-length": String(text.length) });
  outgoing.end(text);
}

/** The runtime, how its servers listen, and who is told of errors that no client is told. */
interface NodeHttpRuntime {
  readonly host: Host;
  readonly ways: HttpWays;
  readonly report: Report;
}

async function makeParts(
  { host, report }: NodeHttpRuntime,
  handler: EngineHandler,
  tls: TlsOptions | undefined,
): Promise<HttpParts & { authority: { hostname: string } }> {
  const { webSockets } = handler;
  const upgrades = webSockets && await (await import("./upgrades.late.ts")).loadUpgrades(webSockets);
  const server = createServer(tls, upgrades?.serverOptions ?? {});
  // What has a limit is the same on all engines.
  server.headersTimeout = server.requestTimeout = server.keepAliveTimeout = 0;
  const connections = new HttpConnections(server);
  const authority = { hostname: "localhost" };
  const listener = await fetchListener(
    host.runtime,
    (request, env) => {
      const connection = connections.of(env.incoming);
      const answer = handler.handle(request, connection.remote, connection.local);
      return upgrades === undefined ? answer : upgrades.answer(answer, request, env, connection);
    },
    report,
    authority,
  );
  const onRequest: NodeHttpListener = (incoming, outgoing) => {
    connections.began(incoming, outgoing);
    return listener(incoming, outgoing).catch((error) => {
      report(error);
      fail(outgoing);
    });
  };
  server.on("request", onRequest);
  upgrades?.listen(server, onRequest);
  return { server, connections, isTls: tls !== undefined, authority };
}

/**
 * The engine that every runtime has: a server of node:http, with @hono/node-server making its requests and responses.
 *
 * @param runtime Asked when it is used.
 */
export function nodeHttp(runtime: () => NodeHttpRuntime): EngineMaker {
  return {
    name: "node-http",
    async adopt(choice, handler, tls) {
      const own = runtime();
      const parts = await makeParts(own, handler, tls);
      const listening = await own.ways.adopt(parts, own.host, choice, `serve on fd ${choice.fd}`);
      parts.authority.hostname = authorityOf(listening.address);
      return new NodeHttpEngine(parts, listening);
    },
    async open(address, access, handler, tls) {
      const own = runtime();
      const parts = await makeParts(own, handler, tls);
      const listening = await own.ways.open(parts, own.host, address, access);
      parts.authority.hostname = authorityOf(listening.address);
      return new NodeHttpEngine(parts, listening);
    },
  };
}
