import assert from "node:assert/strict";
import { test } from "node:test";
import { EngineServer } from "../../src/http/server.ts";
import type { ServeOptions } from "../../src/http/types.ts";
import { engineAddress, FakeEngine } from "../fixtures/fake_engine.ts";
import { stateOf, turn } from "../fixtures/fake_transports.ts";

/** A server on a fake engine; what it reports is collected. */
function serve(options: ServeOptions = {}) {
  const engine = new FakeEngine();
  const reported: unknown[] = [];
  const report = (error: unknown) => void reported.push(error);
  const notes: string[] = [];
  const log = { report, note: (text: string) => void notes.push(text) };
  const server = new EngineServer({ engine, log, activated: true, name: "web" }, options);
  return { engine, server, reported, notes };
}

test("HttpServer tells where and how it serves", () => {
  const { server, engine } = serve();
  const { address, activated, name, engine: engineName } = server;
  assert.deepEqual({ address, activated, name, engineName }, {
    address: engineAddress,
    activated: true,
    name: "web",
    engineName: "node-http",
  });
  server.unref();
  server.ref();
  assert.equal(engine.log, "unref ref ");
});

test("HttpServer.shutdown() drains once, and then finished settles", async () => {
  const { server, engine } = serve();
  const first = server.shutdown();
  assert.equal(server.shutdown(), first);
  assert.equal(await stateOf(server.finished), "pending");
  await first;
  await server.finished;
  assert.equal(engine.log, "stop ... close");
  assert.equal(server.shutdown(), first);
});

test("HttpServer.shutdown() waits for handlers and for bodies, at most drainTimeout", async () => {
  const { server, engine } = serve({ drainTimeout: 60 });
  engine.pendingNow = 1;
  await server.shutdown();
  assert.equal(engine.log, "stop  abort");
});

test("HttpServer ends at the end of `await using`", async () => {
  const { server, engine } = serve();
  await server[Symbol.asyncDispose]();
  assert.equal(engine.log, "stop ... close");
});

test("HttpServer begins its shutdown when the signal aborts", async () => {
  const controller = new AbortController();
  const { server, engine } = serve({ signal: controller.signal });
  await turn();
  assert.equal(engine.log, "");
  controller.abort();
  await server.finished;
  assert.equal(engine.log, "stop ... close");
});

test("HttpServer begins its shutdown at once where the signal has aborted", async () => {
  const { server, engine } = serve({ signal: AbortSignal.abort() });
  await server.finished;
  assert.equal(engine.log, "stop ... close");
});

test("HttpServer reports a shutdown by signal that failed, and tells who called it", async () => {
  const controller = new AbortController();
  const { server, engine, reported } = serve({ signal: controller.signal });
  engine.onClose = () => Promise.reject(new Error("it cannot be closed"));
  controller.abort();
  await server.finished;
  await turn();
  assert.match(String(reported), /^Error: it cannot be closed$/);
  await assert.rejects(server.shutdown(), /it cannot be closed/);
});

test("HttpServer.finished rejects where the engine ends by itself", async () => {
  const controller = new AbortController();
  const { server, engine } = serve({ signal: controller.signal });
  engine.fail(new Error("the engine broke"));
  await assert.rejects(server.finished, /the engine broke/);
  // Its signal is forgotten.
  controller.abort();
  await turn();
  assert.equal(engine.log, "");
});

test("HttpServer.finished settles where what it serves with was closed by others", async () => {
  const controller = new AbortController();
  const { server, engine } = serve({ signal: controller.signal });
  engine.end();
  await server.finished;
  // Its signal is forgotten.
  controller.abort();
  await turn();
  assert.equal(engine.log, "");
});

test("HttpServer.shutdown() says what it waited for, and ends streams after streamTimeout", async () => {
  const { server, engine, notes } = serve({ streamTimeout: 0 });
  engine.openNow = [{ is: "response", name: "GET /events" }];
  await server.shutdown();
  assert.match(engine.log, / end/);
  assert.deepEqual(notes, ["fd3: stopping: 1 response open for 0 s: GET /events"]);
});
