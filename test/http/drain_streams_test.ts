// What drain() makes of streams, WebSockets and half a request.
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentMs } from "../../src/http/quiet.ts";
import type { FakeEngine } from "../fixtures/fake_engine.ts";
import { begin } from "./fixtures/draining.ts";

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
