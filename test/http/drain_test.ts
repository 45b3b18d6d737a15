import assert from "node:assert/strict";
import { test } from "node:test";
import { graceMs, silentMs } from "../../src/http/quiet.ts";
import { stateOf } from "../fixtures/fake_transports.ts";
import { begin } from "./fixtures/draining.ts";

test("drain() stops accepting, looks three times 10 ms apart, and closes", async () => {
  const { engine, clock, drained } = begin(1000);
  assert.equal(engine.log, "stop .");
  await clock.pass(10);
  assert.equal(engine.log, "stop ..");
  await clock.pass(9);
  assert.equal(engine.log, "stop ..");
  await clock.pass(1);
  assert.equal(engine.log, "stop ... close");
  await drained;
  assert.equal(clock.waiting, 0);
});

test("drain() leaves the connections as much time as a look takes", async () => {
  const { engine, clock, drained } = begin(60_000, (engine) => engine.unreadNow = 1);
  engine.onLook = () => clock.busy(20);
  await clock.pass(10);
  assert.equal(engine.log, "stop ..");
  await clock.pass(19);
  assert.equal(engine.log, "stop ..");
  await clock.pass(1);
  assert.equal(engine.log, "stop ...");
  engine.unreadNow = 0;
  await clock.pass(300);
  assert.match(engine.log, /close$/);
  await drained;
});

test("drain() waits for what is in flight, and begins its looks anew when something comes in between", async () => {
  const { engine, clock, drained } = begin(10_000, (engine) => engine.pendingNow = 1);
  await clock.pass(500);
  assert.equal(engine.log, "stop ");
  engine.pendingNow = 0;
  await clock.pass(20);
  engine.pendingNow = 1;
  await clock.pass(10);
  engine.pendingNow = 0;
  engine.log = "";
  await clock.pass(20);
  assert.equal(engine.log, "..");
  await clock.pass(10);
  assert.equal(engine.log, "... close");
  await drained;
});

test("drain() waits for connections that have sent nothing yet", async () => {
  const { engine, clock, drained } = begin(10_000, (engine) => engine.unreadNow = 1);
  await clock.pass(1000);
  assert.doesNotMatch(engine.log, /close/);
  engine.unreadNow = 0;
  await clock.pass(30);
  assert.match(engine.log, /close$/);
  await drained;
});

test("drain() closes without those who send nothing when nothing was in flight for 5 s", async () => {
  const { engine, clock, drained } = begin(60_000, (engine) => engine.unreadNow = 1);
  await clock.pass(1000);
  engine.pendingNow = 1;
  await clock.pass(200);
  engine.pendingNow = 0;
  await clock.pass(silentMs - 20);
  assert.doesNotMatch(engine.log, /close/);
  await clock.pass(40);
  assert.match(engine.log, /close$/);
  await drained;
});

test("drain() goes on waiting for clients that owe a request while requests come", async () => {
  const { engine, clock, drained } = begin(60_000, (engine) => engine.unreadNow = 1);
  for (; engine.handledNow < 2; engine.handledNow++) await clock.pass(silentMs * 0.7);
  assert.doesNotMatch(engine.log, /close/);
  engine.unreadNow = 0;
  await clock.pass(30);
  assert.match(engine.log, /close$/);
  await drained;
});

test("drain() waits a fixed grace where nobody can tell who has sent nothing", async () => {
  const { engine, clock, drained } = begin(10_000, (engine) => {
    engine.unreadNow = undefined;
    engine.connectionsNow = undefined;
  });
  await clock.pass(graceMs);
  assert.doesNotMatch(engine.log, /close/);
  await clock.pass(20);
  assert.match(engine.log, /close$/);
  await drained;
});

test("drain() waits no grace where nobody is connected", async () => {
  const { engine, clock, drained } = begin(10_000, (engine) => engine.unreadNow = undefined);
  await clock.pass(20);
  assert.match(engine.log, /close$/);
  await drained;
});

test("drain() waits after the grace for what is in flight", async () => {
  const { engine, clock } = begin(10_000, (engine) => {
    engine.unreadNow = undefined;
    engine.connectionsNow = 1;
    engine.pendingNow = 1;
  });
  await clock.pass(2 * graceMs);
  assert.doesNotMatch(engine.log, /close/);
  engine.pendingNow = 0;
  await clock.pass(30);
  assert.match(engine.log, /close$/);
});

test("drain() cuts off what is in flight when its time is up, and closes nothing first", async () => {
  const { engine, clock, drained } = begin(300, (engine) => engine.pendingNow = 1);
  await clock.pass(299);
  assert.equal(engine.log, "stop ");
  await clock.pass(11);
  assert.equal(engine.log, "stop  abort");
  await drained;
  assert.equal(clock.waiting, 0);
});

test("drain() cuts off a close() that takes too long", async () => {
  const { engine, clock, drained } = begin(300, (engine) => {
    engine.connectionsNow = 1;
    engine.onClose = () => new Promise(() => {});
  });
  await clock.pass(299);
  assert.equal(engine.log, "stop ... close");
  assert.equal(await stateOf(drained), "pending");
  await clock.pass(1);
  assert.equal(engine.log, "stop ... close abort");
  await drained;
  assert.equal(clock.waiting, 0);
});

test("drain() cuts off at once with no time at all", async () => {
  const { engine, clock, drained } = begin(0, (engine) => engine.pendingNow = 1);
  await drained;
  assert.equal(engine.log, "stop  abort");
  assert.equal(clock.waiting, 0);
});

test("drain() waits forever if it is told so", async () => {
  const { engine, clock, drained } = begin(Infinity, (engine) => engine.pendingNow = 1);
  await clock.pass(2000);
  assert.equal(engine.log, "stop ");
  // The next look; no end.
  assert.equal(clock.waiting, 1);
  engine.pendingNow = 0;
  await clock.pass(30);
  await drained;
  assert.equal(engine.log, "stop ... close");
});

test("drain() says what an engine said that ended by itself", async () => {
  const { engine, clock, drained } = begin(10_000, (engine) => engine.pendingNow = 1);
  engine.fail(new Error("the engine broke"));
  await clock.pass(10);
  await assert.rejects(drained, /the engine broke/);
  assert.equal(engine.log, "stop  abort");
  assert.equal(clock.waiting, 0);
});

test("drain() cuts off an engine that cannot be closed, and says why", async () => {
  const { engine, clock, drained } = begin(10_000, (engine) => {
    engine.onClose = () => Promise.reject(new Error("it cannot be closed"));
  });
  await clock.pass(20);
  await assert.rejects(drained, /it cannot be closed/);
  assert.equal(engine.log, "stop ... close abort");
  assert.equal(clock.waiting, 0);
});
