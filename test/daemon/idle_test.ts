import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonOptions } from "../../src/daemon/types.ts";
import { settle } from "../fixtures/fake_clock.ts";
import { FakeLife } from "./fixtures/fake_life.ts";

const handler = () => new Response();

async function serving(options: DaemonOptions = {}): Promise<FakeLife> {
  const life = new FakeLife();
  void life.start(async (context) => {
    await context.serve(handler);
    context.signal.addEventListener("abort", () => life.log.push("abort"));
    context.cleanup(() => life.log.push("cleanup"));
  }, { idleTimeout: 1000, watchdog: false, ...options });
  await settle();
  life.take();
  return life;
}

test("daemon() ends when nobody was there for idleTimeout: it stops accepting first", async () => {
  const life = await serving();
  await life.pass(990);
  assert.deepEqual(life.take(), []);
  await life.pass(300);
  assert.deepEqual(life.take(), ["server: stop"]);
  // Who came at the last moment is answered, and nobody is told before.
  await life.pass(3000);
  assert.deepEqual(life.take(), []);
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take(), ["abort", "cleanup", "tell stopping", "exit 0"]);
});

test("daemon() that looks late gives the event loop as many turns all the same, to accept who waits", async () => {
  const life = await serving();
  life.clock.lateness = 5000;
  await life.pass(11_000);
  assert.deepEqual(life.take(), []);
  await life.pass(5300);
  assert.deepEqual(life.take(), ["server: stop"]);
});

test("daemon() is not idle while there is a request, a connection, or had been one", async () => {
  const life = await serving();
  const [server] = life.servers;
  server.inFlight = 1;
  await life.pass(5000);
  server.inFlight = 0;
  server.connections = 1;
  await life.pass(5000);
  server.connections = 0;
  for (let i = 0; i < 10; i++) {
    server.handled++;
    await life.pass(500);
  }
  assert.deepEqual(life.take(), []);
  await life.pass(1300);
  assert.deepEqual(life.take(), ["server: stop"]);
});

test("daemon() goes by the requests where nobody knows the connections", async () => {
  const life = await serving();
  life.servers[0].connections = undefined;
  life.servers[0].inFlight = 1;
  await life.pass(5000);
  assert.deepEqual(life.take(), []);
  life.servers[0].inFlight = 0;
  await life.pass(1300);
  assert.deepEqual(life.take(), ["server: stop"]);
});

test("daemon() is not idle while a listener has a connection", async () => {
  const life = new FakeLife();
  void life.start(async (context) => {
    const listener = await context.listen();
    (async () => {
      for await (const _ of listener);
    })();
  }, { idleTimeout: 1000, watchdog: false });
  await settle();
  life.take();
  const connection = life.listeners[0].push();
  await life.pass(5000);
  assert.deepEqual(life.take(), []);
  connection.end();
  // One that comes and goes between two looks counts, too.
  await life.pass(900);
  life.listeners[0].push().end();
  await life.pass(900);
  assert.deepEqual(life.take(), []);
  await life.pass(400);
  assert.deepEqual(life.take(), ["listener: stop", "tell stopping", "exit 0"]);
});

test("daemon() never ends that opened a socket of its own, or none", async () => {
  const life = await serving();
  life.servers[0].activated = false;
  await life.pass(10_000, 100);
  assert.deepEqual(life.take(), []);
  const other = new FakeLife();
  void other.start(() => {}, { idleTimeout: 10, watchdog: false });
  await other.pass(1000);
  assert.deepEqual(other.take(), ["tell ready"]);
});

test("daemon() is not idle while it reloads", async () => {
  let end = () => {};
  const life = await serving({ reload: () => new Promise<void>((resolve) => end = resolve) });
  await life.signal("SIGHUP");
  await life.pass(5000);
  assert.deepEqual(life.take(), ["SIGHUP", "tell reloading"]);
  end();
  await life.pass(1300);
  assert.deepEqual(life.take(), ["tell ready", "server: stop"]);
});

test("daemon() tells of a signal that comes while an idle one ends", async () => {
  const life = await serving();
  await life.pass(1300);
  life.take();
  await life.signal("SIGTERM");
  assert.deepEqual(life.take(), ["SIGTERM", "abort", "tell stopping"]);
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take(), ["cleanup", "exit 0"]);
});

test("daemon() stops watching when it is told to stop", async () => {
  const life = await serving();
  await life.signal("SIGTERM");
  life.servers[0].end();
  await life.pass(5000);
  assert.equal(life.take().filter((line) => line.startsWith("exit")).length, 1);
  assert.equal(life.clock.waiting, 0);
});
