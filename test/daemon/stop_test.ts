import assert from "node:assert/strict";
import { test } from "node:test";
import { Fd3Error } from "../../src/errors.ts";
import { settle } from "../fixtures/fake_clock.ts";
import { FakeLife, readyLife } from "./fixtures/fake_life.ts";

for (const name of ["SIGTERM", "SIGINT"] as const) {
  test(`daemon() drains and cleans up on ${name}`, async () => {
    const { life, context, over } = await readyLife();
    context.signal.addEventListener("abort", () => life.log.push("abort"));
    context.cleanup(async () => {
      await Promise.resolve();
      life.log.push("later cleanup");
    });
    await life.signal(name);
    assert.deepEqual(life.take(), [name, "abort", "server: stop", "tell stopping"]);
    await life.pass(150);
    life.servers[0].end();
    await settle();
    assert.deepEqual(life.take(), ["later cleanup", "cleanup", "watchdog: stop", "exit 0"]);
    await over;
    assert.equal(life.isAlive, false);
    assert.equal(life.clock.waiting, 0);
  });
}

test("daemon() asks for more time while it drains, until drainTimeout is over", async () => {
  const { life } = await readyLife({ drainTimeout: 2500 });
  await life.signal("SIGTERM");
  life.take();
  await life.pass(190);
  assert.deepEqual(life.take(), []);
  await life.pass(20);
  assert.deepEqual(life.take(), ["tell extendTimeoutMs=5000"]);
  await life.pass(1000);
  assert.deepEqual(life.take(), ["tell extendTimeoutMs=5000"]);
  await life.pass(1000);
  assert.deepEqual(life.take(), ["tell extendTimeoutMs=5000"]);
  await life.pass(400);
  // A server that should have cut everything off by now is given a second.
  assert.deepEqual(life.take(), []);
  await life.pass(1000);
  assert.deepEqual(life.take(), ["cleanup", "watchdog: stop", "exit 0"]);
});

test("daemon() does not hurry with drainTimeout: Infinity, and not wait with 0", async () => {
  const { life } = await readyLife({ drainTimeout: Infinity });
  await life.signal("SIGTERM");
  await life.pass(100_000, 1000);
  assert.ok(!life.take().includes("exit 0"));
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take(), ["cleanup", "watchdog: stop", "exit 0"]);
  const other = await readyLife({ drainTimeout: 0 });
  await other.life.signal("SIGTERM");
  other.life.servers[0].end();
  await settle();
  assert.deepEqual(other.life.take().slice(-3), ["cleanup", "watchdog: stop", "exit 0"]);
});

test("daemon() waits for a listener's connections, and cuts them off when time is up", async () => {
  const life = new FakeLife();
  void life.start(async (context) => {
    const listener = await context.listen();
    (async () => {
      for await (const _ of listener);
    })();
  }, { drainTimeout: 1000, watchdog: false });
  await settle();
  const [one] = [life.listeners[0].push(), life.listeners[0].push()];
  await settle();
  life.take();
  await life.signal("SIGTERM");
  assert.deepEqual(life.take(), ["SIGTERM", "listener: stop", "tell stopping"]);
  await life.pass(100);
  one.end();
  await life.pass(800);
  assert.deepEqual(life.take(), ["tell extendTimeoutMs=5000"]);
  await life.pass(100);
  assert.deepEqual(life.take(), ["connection: close", "exit 0"]);
});

test("daemon() waits for connections that nobody asked for yet, and cuts off the late ones", async () => {
  const life = new FakeLife();
  void life.start((context) => context.listen(), { watchdog: false });
  await settle();
  life.listeners[0].waiting = 1;
  await life.signal("SIGTERM");
  await life.pass(500);
  assert.ok(!life.take().includes("exit 0"));
  life.listeners[0].waiting = 0;
  await life.pass(50);
  assert.equal(life.take().at(-1), "exit 0");
});

test("daemon() stops on an error that nobody handled, and counts those that follow", async () => {
  const { life } = await readyLife();
  await life.unhandled(new TypeError("first"));
  assert.deepEqual(life.take(), [
    "log err: Unhandled error: TypeError: first",
    "server: stop",
    "tell stopping status=Unhandled error: first",
  ]);
  await life.unhandled(new TypeError("second"));
  assert.deepEqual(life.take(), [
    "log err: Unhandled error: TypeError: second",
    "tell status=Unhandled error: second",
  ]);
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take(), ["cleanup", "watchdog: stop", "exit 1"]);
});

test("daemon() lets the first signal pass that comes while it stops for another reason", async () => {
  const { life } = await readyLife();
  await life.unhandled(new Error("one"));
  await life.signal("SIGTERM");
  assert.ok(!life.log.some((line) => line.startsWith("exit")));
  life.take();
  await life.signal("SIGTERM");
  assert.deepEqual(life.take(), ["SIGTERM", "exit 143"]);
});

test("daemon() stops when a server ends by itself", async () => {
  const { life } = await readyLife();
  life.servers[0].fail(new Fd3Error("EMFILE", "Cannot serve: too many open files"));
  await settle();
  assert.deepEqual(life.take(), [
    "log err: A server ended: Cannot serve: too many open files",
    "server: stop",
    "tell stopping status=A server ended: Cannot serve: too many open files errno=EMFILE",
    "log err: Cannot stop: Cannot serve: too many open files",
    "cleanup",
    "watchdog: stop",
    "exit 1",
  ]);
});

test("daemon() calls each cleanup although others fail", async () => {
  const { life, context } = await readyLife();
  context.cleanup(() => {
    throw new Error("thrown");
  });
  context.cleanup(() => Promise.reject(new Error("rejected")));
  context.cleanup(() => void context.cleanup(() => life.log.push("added")));
  await life.signal("SIGTERM");
  life.take();
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take(), [
    "added",
    "log err: A cleanup failed: Error: rejected",
    "log err: A cleanup failed: Error: thrown",
    "cleanup",
    "watchdog: stop",
    "exit 1",
  ]);
});

test("daemon() does not end for ever waiting for a message to leave", async () => {
  const { life } = await readyLife();
  life.onNotify = () => new Promise(() => {});
  await life.signal("SIGTERM");
  life.servers[0].end();
  await life.pass(990);
  assert.ok(!life.log.includes("exit 0"));
  await life.pass(20);
  assert.equal(life.take().at(-1), "exit 0");
});
