import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonOptions } from "../../src/daemon/types.ts";
import { Fd3Error } from "../../src/errors.ts";
import { settle } from "../fixtures/fake_clock.ts";
import { FakeLife, readyLife } from "./fixtures/fake_life.ts";

const handler = () => new Response();

test("daemon() is ready when setup is fulfilled, with the last status, and pings then", async () => {
  const life = new FakeLife();
  let open = () => {};
  // The functions of the context can be taken out of it.
  void life.start(async ({ serve, status }) => {
    await serve(handler, { fallback: "80" });
    status("one");
    await new Promise<void>((resolve) => open = resolve);
    status("two\nlines");
  }, { drainTimeout: 1234 });
  await settle();
  assert.deepEqual(life.take(), ['serve {"fallback":"80","drainTimeout":1234,"streamTimeout":5000}']);
  open();
  await settle();
  assert.ok(life.isAlive);
  const serving = "log info: fd3: serving on 192.0.2.1:80 (node-http, inherited)";
  assert.deepEqual(life.take(), ["tell ready status=two lines", serving, "watchdog: start"]);
});

test("daemon() tells the status of a start that takes long", async () => {
  const life = new FakeLife();
  void life.start(async (context) => {
    context.status("half of it");
    await new Promise(() => {});
  });
  await life.pass(490);
  assert.deepEqual(life.take(), []);
  await life.pass(20);
  assert.deepEqual(life.take(), ["tell status=half of it"]);
});

test("daemon() starts no watchdog that is not wanted", async () => {
  const life = new FakeLife();
  void life.start(() => {}, { watchdog: false });
  await settle();
  assert.deepEqual(life.take(), ["tell ready"]);
});

test("daemon() fails if the watchdog cannot be started", async () => {
  const life = new FakeLife();
  life.watchdogError = Promise.reject(new Fd3Error("EINVAL", "Cannot read WATCHDOG_USEC: it is odd"));
  void life.start(() => {});
  await settle();
  assert.deepEqual(life.take(), [
    "tell ready",
    "watchdog: start",
    "log err: Cannot start: Cannot read WATCHDOG_USEC: it is odd",
    "tell stopping status=Cannot start: Cannot read WATCHDOG_USEC: it is odd errno=EINVAL",
    "exit 1",
  ]);
});

test("daemon() does not fail if the watchdog cannot be started once it stops", async () => {
  const life = new FakeLife();
  let fail: (error: Error) => void = () => {};
  life.watchdogError = new Promise((_resolve, reject) => fail = reject);
  void life.start(() => {});
  await settle();
  void life.signal("SIGTERM");
  fail(new Error("what it needs was stopped"));
  await settle();
  assert.deepEqual(life.take(), ["tell ready", "watchdog: start", "SIGTERM", "tell stopping", "exit 0"]);
});

test("daemon() sends no more than ten statuses in a second, and the last in any case", async () => {
  const { life, context } = await readyLife();
  await life.pass(1000);
  for (let i = 1; i <= 5; i++) context.status(`status ${i}`);
  await settle();
  assert.deepEqual(life.take(), ["tell status=status 1"]);
  await life.pass(90);
  assert.deepEqual(life.take(), []);
  await life.pass(20);
  assert.deepEqual(life.take(), ["tell status=status 5"]);
  await life.pass(1000);
  assert.deepEqual(life.take(), []);
});

test("daemon() ends at once on a second signal", async () => {
  for (const [name, status] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    const { life } = await readyLife();
    await life.signal("SIGTERM");
    life.take();
    await life.signal(name);
    assert.deepEqual(life.take(), [name, `exit ${status}`]);
  }
});

test("daemon() says why setup failed, and closes what it opened", async () => {
  const life = new FakeLife();
  void life.start(async (context) => {
    await context.serve(handler);
    context.cleanup(() => life.log.push("cleanup"));
    context.status("Starting");
    throw Object.assign(new Error("no\nroom"), { code: "ENOSPC" });
  });
  await settle();
  assert.deepEqual(life.take().slice(1), [
    "log err: Cannot start: Error: no",
    "server: stop",
    "tell stopping status=Cannot start: no room errno=ENOSPC",
  ]);
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take(), ["cleanup", "exit 1"]);
});

test("daemon() takes anything for an error", async () => {
  for (const [thrown, text] of [["a text", "a text"], [undefined, "undefined"], [{ message: 1 }, '{"message":1}']]) {
    const life = new FakeLife();
    void life.start(() => {
      throw thrown;
    });
    await settle();
    assert.deepEqual(life.take(), [
      `log err: Cannot start: ${text}`,
      `tell stopping status=Cannot start: ${text}`,
      "exit 1",
    ]);
  }
});

test("daemon() that is told to stop while it starts waits for setup, which can open nothing any more", async () => {
  const life = new FakeLife();
  let go = () => {};
  void life.start(async (context) => {
    await context.serve(handler);
    context.signal.addEventListener("abort", () => life.log.push("abort"));
    await new Promise<void>((resolve) => go = resolve);
    await assert.rejects(context.listen(), {
      code: "ERR_FD3_CLOSED",
      message: "Cannot listen: the daemon is stopping",
    });
    context.cleanup(() => life.log.push("cleanup"));
    await context.serve(handler);
  });
  await settle();
  life.take();
  await life.signal("SIGTERM");
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take(), ["SIGTERM", "abort", "server: stop", "tell stopping"]);
  go();
  await settle();
  assert.deepEqual(life.take(), [
    "log warning: Stopped while starting: Cannot serve: the daemon is stopping",
    "cleanup",
    "exit 0",
  ]);
});

test("daemon() closes what setup was opening when it was told to stop", async () => {
  const life = new FakeLife();
  void life.start(async (context) => void await context.listen());
  await life.signal("SIGTERM");
  await life.pass(100);
  assert.deepEqual(life.take(), [
    "SIGTERM",
    "listener: stop",
    "tell stopping",
    "log warning: Stopped while starting: Cannot listen: the daemon is stopping",
    "exit 0",
  ]);
});

test("daemon() waits no longer than drainTimeout for a setup that hangs", async () => {
  const life = new FakeLife();
  void life.start(() => new Promise(() => {}), { drainTimeout: 1000 });
  await life.signal("SIGTERM");
  await life.pass(990);
  assert.ok(!life.log.includes("exit 0"));
  await life.pass(20);
  assert.equal(life.take().at(-1), "exit 0");
});

test("daemon() goes on when the service manager cannot be told, and logs each reason once", async () => {
  const life = new FakeLife();
  life.onNotify = () => Promise.reject(new Fd3Error("ENOENT", "Cannot notify the service manager: it is gone"));
  void life.start((context) => context.serve(handler), { watchdog: false });
  await settle();
  await life.signal("SIGTERM");
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take().slice(1), [
    "tell ready",
    "log info: fd3: serving on 192.0.2.1:80 (node-http, inherited)",
    "log err: fd3: Cannot notify the service manager: it is gone",
    "SIGTERM",
    "server: stop",
    "tell stopping",
    "exit 0",
  ]);
});

test("daemon() tells nobody where nobody listens", async () => {
  const life = new FakeLife();
  life.onNotify = () => false;
  void life.start((context) => context.serve(handler), { reload: () => life.log.push("reload"), watchdog: false });
  await settle();
  await life.signal("SIGHUP");
  await life.signal("SIGTERM");
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take().slice(1), [
    "tell ready",
    "log info: fd3: serving on 192.0.2.1:80 (node-http, inherited)",
    "SIGHUP",
    "reload",
    "SIGTERM",
    "server: stop",
    "exit 0",
  ]);
});

test("daemon() refuses what it cannot understand", async () => {
  const rows: readonly [unknown, unknown, string][] = [
    [undefined, {}, "setup is undefined, not a function"],
    [() => {}, null, "options are null, not an object"],
    [() => {}, { reload: "me" }, 'reload is "me", not a function'],
    [() => {}, { drainTimeout: -1 }, "drainTimeout is -1, not a number between 0 and 2147483647, nor Infinity"],
    [() => {}, { drainTimeout: NaN }, "drainTimeout is NaN, not a number between 0 and 2147483647, nor Infinity"],
    [() => {}, { idleTimeout: 0 }, "idleTimeout is 0, not a number between 1 and 2147483647"],
    [() => {}, { idleTimeout: Infinity }, "idleTimeout is Infinity, not a number between 1 and 2147483647"],
    [() => {}, { watchdog: 5 }, "watchdog is 5, neither true, false nor an object"],
  ];
  for (const [setup, options, text] of rows) {
    const life = new FakeLife();
    const started = life.start(setup as () => void, options as DaemonOptions);
    await assert.rejects(started, { name: "TypeError", message: `Cannot start the daemon: ${text}` });
    assert.deepEqual(life.log, []);
  }
  const { context } = await readyLife();
  assert.throws(() => context.cleanup(1 as unknown as () => void), {
    name: "TypeError",
    message: "Cannot register a cleanup: it is number, not a function",
  });
});
