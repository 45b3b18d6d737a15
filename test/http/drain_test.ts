import assert from "node:assert/strict";
import { test } from "node:test";
import { drain } from "../../src/http/drain.ts";
import { graceMs, silentMs } from "../../src/http/quiet.ts";
import { FakeClock, FakeEngine } from "../fixtures/fake_engine.ts";
import { stateOf } from "../fixtures/fake_transports.ts";

/** Begins to drain an engine. What it says is collected. */
function begin(drainMs: number, prepare: (engine: FakeEngine) => void = () => {}, streamMs = 5000) {
  const engine = new FakeEngine();
  const clock = new FakeClock();
  prepare(engine);
  const lines: string[] = [];
  const drained = drain({ engine, drainMs, streamMs, clock, log: (text) => void lines.push(text) });
  drained.catch(() => {});
  return { engine, clock, drained, lines };
}

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

const events = { is: "response", name: "GET /events" } as const;
const chat = { is: "WebSocket", name: "GET /chat" } as const;

/** An engine whose `close()` waits for all that is open, as those of the runtimes do. */
function closesWhenEmpty(engine: FakeEngine): void {
  engine.connectionsNow = engine.openNow.length;
  engine.onClose = () =>
    new Promise((resolve) =>
      engine.onEndStreams = () => {
        engine.openNow = [];
        engine.connectionsNow = 0;
        engine.end();
        resolve();
      }
    );
}

test("drain() lets streams go on for streamTimeout, says what they are, and ends them", async () => {
  const { engine, clock, drained, lines } = begin(30_000, (engine) => {
    engine.openNow = [events, chat, chat];
    closesWhenEmpty(engine);
  });
  await clock.pass(4970);
  assert.equal(engine.log, "stop ... close");
  assert.deepEqual(lines, []);
  await clock.pass(50);
  assert.equal(engine.log, "stop ... close end");
  assert.deepEqual(lines, ["1 response open for 5 s: GET /events; 2 WebSockets open for 5 s: GET /chat (2)"]);
  await drained;
  assert.equal(clock.waiting, 0);
});

test("drain() ends streams in time although a request goes on", async () => {
  const { engine, clock, drained, lines } = begin(30_000, (engine) => {
    engine.pendingNow = 1;
    engine.openNow = [{ is: "request", name: "POST /report" }, events];
  }, 200);
  await clock.pass(220);
  assert.equal(engine.log, "stop  end");
  assert.deepEqual(lines, ["1 request unanswered for 0.2 s: POST /report; 1 response open for 0.2 s: GET /events"]);
  engine.pendingNow = 0;
  await clock.pass(30);
  await drained;
});

test("drain() tells event streams of the stop at once, and others after a second", async () => {
  const { engine, clock } = begin(30_000, (engine) => {
    engine.openNow = [events];
    closesWhenEmpty(engine);
  });
  assert.deepEqual(engine.told, ["events"]);
  await clock.pass(900);
  assert.deepEqual(engine.told, ["events"]);
  await clock.pass(200);
  assert.deepEqual(engine.told, ["events", "all"]);
  await clock.pass(5000);
});

test("drain() says once what is waited for 5 s", async () => {
  const { engine, clock, drained, lines } = begin(30_000, (engine) => {
    engine.pendingNow = 1;
    engine.openNow = [{ is: "request", name: undefined }];
  });
  await clock.pass(20_000);
  assert.deepEqual(lines, ["1 request unanswered for 5 s"]);
  engine.pendingNow = 0;
  engine.openNow = [];
  await clock.pass(30);
  await drained;
});

test("drain() gives half a request 5 s where only the runtime's own end tells that there is one", async () => {
  const { engine, clock, drained } = begin(30_000, (engine) => {
    engine.connectionsNow = 1;
    closesWhenEmpty(engine);
    engine.connectionsNow = 1;
  });
  await clock.pass(silentMs - 30);
  assert.equal(engine.log, "stop ... close");
  await clock.pass(60);
  assert.equal(engine.log, "stop ... close end");
  await drained;
});

test("drain() does not wait for a handler that never settles once no connection is left", async () => {
  const { engine, clock, drained } = begin(30_000, (engine) => engine.onClose = () => new Promise(() => {}));
  await clock.pass(200);
  assert.equal(engine.log, "stop ... close abort");
  await drained;
  assert.equal(clock.waiting, 0);
});
