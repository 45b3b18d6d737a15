// What daemon() says of itself on stderr: what it serves with, what it was passed in vain, and that it is not ready yet.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonContext } from "../../src/daemon/types.ts";
import { eventually } from "../fixtures/activate.ts";
import { engineAddress } from "../fixtures/fake_engine.ts";
import { settle } from "../fixtures/fake_clock.ts";
import { FakeLife } from "./fixtures/fake_life.ts";

const handler = () => new Response();

test("daemon() tells of what it serves with, also what it opens later", async () => {
  const life = new FakeLife();
  let context: DaemonContext | undefined;
  void life.start(async (given) => {
    context = given;
    await given.listen();
  }, { watchdog: false });
  await settle();
  assert.deepEqual(life.take(), ["tell ready", "log info: fd3: listening on 192.0.2.1:80 (inherited)"]);
  await context!.serve(handler);
  assert.deepEqual(life.take().slice(1), ["log info: fd3: serving on 192.0.2.1:80 (node-http, inherited)"]);
});

test("daemon() tells of each socket of a listener", async () => {
  const life = new FakeLife();
  void life.start(async ({ listen }) => {
    await listen({ all: true });
    life.listeners[0].addresses = [engineAddress, { transport: "unix", path: "/run/foobar.sk" }];
  }, { watchdog: false });
  await settle();
  const line = "log info: fd3: listening on 192.0.2.1:80, /run/foobar.sk (inherited)";
  assert.deepEqual(life.take(), ["tell ready", line]);
});

test("daemon() warns once of a setup that does not return, and of no other", async () => {
  const life = new FakeLife();
  let open = () => {};
  void life.start(() => new Promise<void>((resolve) => open = resolve), { watchdog: false });
  await life.pass(8990);
  assert.deepEqual(life.take(), []);
  await life.pass(20);
  const [warning, ...more] = life.take();
  assert.match(warning, /^warn: the service is not ready, since setup has not returned after 10 s: .*server\.finished/);
  assert.deepEqual(more, []);
  await life.pass(100_000, 1000);
  open();
  await settle();
  assert.deepEqual(life.take(), ["tell ready"]);
  // Neither one that is ready in time nor one that stops.
  const soon = new FakeLife();
  let go = () => {};
  void soon.start(() => new Promise<void>((resolve) => go = resolve), { watchdog: false });
  await soon.pass(8000);
  go();
  await settle();
  assert.equal(soon.clock.waiting, 0);
  const stopped = new FakeLife();
  void stopped.start(() => new Promise<void>((resolve) => go = resolve), { watchdog: false });
  await settle();
  await stopped.signal("SIGTERM");
  go();
  await settle();
  assert.equal(stopped.clock.waiting, 0);
  assert.deepEqual(stopped.take(), ["SIGTERM", "tell stopping", "exit 0"]);
});

test("daemon() warns of what it was passed and did not take, once it is ready", async () => {
  const life = new FakeLife();
  life.unclaimed = [{ fd: 4, name: "web" }, { fd: 5, name: "a:b" }];
  void life.start((context) => context.serve(handler), { watchdog: false });
  await eventually(() => life.log.length >= 4);
  assert.deepEqual(life.take().slice(-1), [
    'warn: fd 4 "web", fd 5 "a:b" were passed and not used, and clients of a listening socket wait in vain: take it by its name with ' +
    "listen(), serve() or takeFd(), or close it with dropFd()",
  ]);
});
