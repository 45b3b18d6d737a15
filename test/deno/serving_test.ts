// A server that outlives the runs of Deno.serve(): of runs that the test ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serverOf, Serving } from "../../runtimes/deno/serve/serving.ts";
import type { Clients } from "../../src/linux/clients.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { settle } from "../fixtures/fake_clock.ts";
import { FakeTimers } from "../fixtures/fake_timers.ts";
import { FakeDeno, type FakeRun, FakeSource } from "./fixtures/fake_runs.ts";

/** A server whose first run accepts. */
class Stage implements Disposable {
  readonly log: string[] = [];
  readonly timers: FakeTimers = new FakeTimers();
  readonly #deno = new FakeDeno(this.log);
  readonly source: FakeSource = new FakeSource(this.log);
  readonly serving: Serving;
  /** How it ended. */
  outcome: unknown = "pending";

  constructor(hasClients = false) {
    const clients = { complete: () => void this.log.push("complete"), cut: () => void this.log.push("cut") };
    const first = this.source.next();
    this.serving = new Serving(hasClients ? clients as Clients : undefined, { source: this.source, first });
    this.serving.finished.then(() => this.outcome = "ended", (error) => this.outcome = error);
  }

  run(number: number): FakeRun {
    return this.source.runs[number - 1];
  }

  /** What happened since the last call. */
  async take(): Promise<string[]> {
    await settle();
    return this.log.splice(0);
  }

  /** Ends the run that accepts, and lets the next one start. */
  async next(): Promise<void> {
    this.source.runs.at(-1)!.fail();
    await this.timers.pass(100);
  }

  [Symbol.dispose](): void {
    this.#deno[Symbol.dispose]();
    this.timers[Symbol.dispose]();
  }
}

test("Serving makes Deno set up its signals at once", async () => {
  using stage = new Stage();
  assert.deepEqual(await stage.take(), ["add SIGURG", "remove SIGURG"]);
});

test("Serving starts another run 100 ms after one ended, each time", async () => {
  using stage = new Stage();
  await stage.take();
  for (let round = 0; round < 3; round++) {
    stage.source.runs.at(-1)!.fail();
    await stage.timers.pass(99);
    assert.deepEqual(await stage.take(), []);
    await stage.timers.pass(1);
    assert.deepEqual(await stage.take(), ["start"]);
  }
  assert.equal(stage.outcome, "pending");
});

test("Serving tries again each 100 ms while nothing can be started", async () => {
  using stage = new Stage();
  await stage.take();
  stage.source.error = new Error("no descriptor");
  stage.run(1).fail();
  for (let round = 0; round < 3; round++) await stage.timers.pass(100);
  assert.deepEqual(await stage.take(), ["start", "start", "start"]);
  stage.source.error = undefined;
  await stage.timers.pass(100);
  assert.equal(stage.source.runs.length, 2);
  assert.equal(stage.timers.waiting, 0);
});

test("Serving gives up where the source cannot be started again, and says why", async () => {
  using stage = new Stage();
  await stage.take();
  stage.source.error = Object.assign(new Error("in use"), { code: "EADDRINUSE" });
  stage.source.canStart = false;
  await stage.next();
  assert.deepEqual(await stage.take(), ["start", "release"]);
  fd3Error("EADDRINUSE", "Cannot serve on 127.0.0.1:80: address already in use")(stage.outcome);
  assert.equal(stage.timers.waiting, 0);
});

test("release() gives the source up once, with the run that accepts, and starts no other", async () => {
  using stage = new Stage(true);
  await stage.next();
  await stage.take();
  stage.serving.release();
  stage.serving.release();
  assert.deepEqual(await stage.take(), ["complete", "release, run 2 accepts"]);
  stage.run(2).fail();
  await stage.timers.pass(1000);
  assert.deepEqual(await stage.take(), []);
});

test("release() calls off a start that waits for its time, and shuts down what starts meanwhile", async () => {
  using stage = new Stage();
  await stage.take();
  stage.run(1).fail();
  await settle();
  stage.serving.release();
  await stage.timers.pass(1000);
  assert.deepEqual(await stage.take(), ["release"]);

  using other = new Stage();
  let open = () => {};
  other.source.opened = new Promise((resolve) => open = resolve);
  await other.next();
  await other.take();
  other.serving.release();
  open();
  assert.deepEqual(await other.take(), ["release", "run 2 shutdown"]);
  assert.equal(other.outcome, "pending");
});

test("shutdown() ends when all runs have whose connections may be open", async () => {
  using stage = new Stage();
  await stage.next();
  stage.run(2).end();
  await stage.timers.pass(100);
  await stage.take();
  let drain = () => {};
  stage.run(1).drained = new Promise((resolve) => drain = resolve);
  const ending = stage.serving.shutdown();
  assert.equal(stage.serving.shutdown(), ending);
  // Of the second run nothing is left.
  assert.deepEqual(await stage.take(), ["release, run 3 accepts", "run 1 shutdown", "run 3 shutdown"]);
  assert.equal(stage.outcome, "pending");
  drain();
  await ending;
  await settle();
  assert.equal(stage.outcome, "ended");
});

test("shutdown() rejects with what a run says, and so does `finished`", async () => {
  using stage = new Stage();
  const error = new Error("Bad resource ID");
  stage.run(1).drained = Promise.reject(error);
  await assert.rejects(stage.serving.shutdown(), error);
  await settle();
  assert.equal(stage.outcome, error);
});

test("abort() cuts the clients off where they are known, and waits 100 ms for Deno's own end", async () => {
  using stage = new Stage(true);
  await stage.take();
  stage.run(1).drained = new Promise(() => {});
  stage.serving.abort();
  assert.deepEqual(await stage.take(), ["complete", "release, run 1 accepts", "cut", "run 1 shutdown"]);
  await stage.timers.pass(99);
  assert.equal(stage.outcome, "pending");
  await stage.timers.pass(1);
  assert.equal(stage.outcome, "ended");
  // Who is at this address by then is another's.
  stage.serving.abort();
  assert.deepEqual(await stage.take(), []);
});

test("abort() leaves no timer where Deno's own end comes first", async () => {
  using stage = new Stage(true);
  stage.serving.abort();
  await settle();
  assert.equal(stage.outcome, "ended");
  assert.equal(stage.timers.waiting, 0);
});

test("abort() cancels all runs where no client is known", async () => {
  using stage = new Stage();
  await stage.next();
  await stage.take();
  stage.serving.abort();
  assert.deepEqual(await stage.take(), [
    "run 1 cancel",
    "run 2 cancel",
    "release, run 2 accepts",
    "run 1 shutdown",
    "run 2 shutdown",
  ]);
  assert.equal(stage.outcome, "ended");
});

test("abort() ends at once where no client is known and shutdown() has begun, and cancels nothing", async () => {
  using stage = new Stage();
  stage.run(1).drained = new Promise(() => {});
  void stage.serving.shutdown();
  await stage.take();
  stage.serving.abort();
  assert.deepEqual(await stage.take(), []);
  assert.equal(stage.outcome, "ended");
});

test("unref() and ref() hold for the run that accepts, the start that waits, and the runs after it", async () => {
  using stage = new Stage();
  await stage.take();
  stage.serving.unref();
  assert.deepEqual(await stage.take(), ["run 1 unref"]);
  stage.run(1).fail();
  await settle();
  assert.deepEqual([stage.timers.waiting, stage.timers.keepingAlive], [1, 0]);
  stage.serving.ref();
  assert.equal(stage.timers.keepingAlive, 1);
  stage.serving.unref();
  assert.equal(stage.timers.keepingAlive, 0);
  await stage.timers.pass(100);
  assert.deepEqual(await stage.take(), ["start", "run 2 unref"]);
  stage.serving.ref();
  assert.deepEqual(await stage.take(), ["run 2 ref"]);
  await stage.next();
  assert.deepEqual(await stage.take(), ["start"]);
});

test("Serving keeps 256 runs, and shuts the oldest down", async () => {
  using stage = new Stage();
  for (let round = 1; round < 256; round++) await stage.next();
  assert.ok(!(await stage.take()).some((line) => line.endsWith("shutdown")));
  await stage.next();
  assert.deepEqual(await stage.take(), ["start", "run 1 shutdown"]);
  void stage.serving.shutdown();
  const ended = (await stage.take()).filter((line) => line.endsWith("shutdown"));
  assert.deepEqual([ended.length, ended[0]], [256, "run 2 shutdown"]);
});

test("serverOf() gives the first run's object, which speaks for all", async () => {
  using stage = new Stage();
  await stage.next();
  await stage.take();
  const server = serverOf(stage.serving, stage.run(1));
  assert.equal(server, stage.run(1).server);
  assert.equal(server.finished, stage.serving.finished);
  server.unref();
  server.ref();
  assert.deepEqual(await stage.take(), ["run 2 unref", "run 2 ref"]);
  await server.shutdown();
  assert.deepEqual(await stage.take(), ["release, run 2 accepts", "run 1 shutdown", "run 2 shutdown"]);
});
