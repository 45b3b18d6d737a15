// The reloads of a daemon, one by one; reload_test.ts has them in a daemon's life.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonHost } from "../../src/daemon/daemon_host.ts";
import type { Messages } from "../../src/daemon/messages.ts";
import { Reloader } from "../../src/daemon/reloader.ts";
import type { NotifyState } from "../../src/notify/types.ts";
import { settle } from "../fixtures/fake_clock.ts";

/** A reloader, and all that it says and does. */
class Stage {
  readonly #log: string[] = [];
  readonly reloader: Reloader;
  /** What leaving takes for a message. */
  sending: Promise<void> = Promise.resolve();
  #settle: (error?: unknown) => void = () => {};

  constructor(hasReload = true) {
    const messages = {
      status: "Serving",
      send: (state: NotifyState) => {
        this.#log.push(JSON.stringify(state));
        return this.sending;
      },
    };
    const log = (priority: string, text: string) => void this.#log.push(`${priority}: ${text.split("\n")[0]}`);
    const reload = () => {
      this.#log.push("reload");
      return new Promise<void>((resolve, reject) =>
        this.#settle = (error) => error === undefined ? resolve() : reject(error)
      );
    };
    this.reloader = new Reloader(
      { log } as DaemonHost,
      messages as unknown as Messages,
      hasReload ? reload : undefined,
    );
  }

  /** The reload that runs is over. */
  done(error?: unknown): void {
    this.#settle(error);
  }

  /** What happened since the last call. */
  async take(): Promise<string[]> {
    await settle();
    return this.#log.splice(0);
  }
}

const reloading = '{"reloading":true}';
const ready = '{"ready":true}';

test("Reloader waits for open(), and then does once what was asked for several times", async () => {
  const stage = new Stage();
  stage.reloader.request();
  stage.reloader.request();
  assert.deepEqual(await stage.take(), []);
  assert.equal(stage.reloader.isBusy, false);
  stage.reloader.open();
  assert.deepEqual(await stage.take(), [reloading, "reload"]);
  stage.done();
  assert.deepEqual(await stage.take(), [ready]);
});

test("Reloader does nothing at open() where nobody asked", async () => {
  const stage = new Stage();
  stage.reloader.open();
  assert.deepEqual(await stage.take(), []);
  assert.equal(stage.reloader.isBusy, false);
});

test("Reloader begins although its message has not left, and is busy until the last one has", async () => {
  const stage = new Stage();
  stage.reloader.open();
  let leave = () => {};
  stage.sending = new Promise((resolve) => leave = resolve);
  stage.reloader.request();
  assert.equal(stage.reloader.isBusy, true);
  assert.deepEqual(await stage.take(), [reloading, "reload"]);
  stage.done();
  assert.deepEqual(await stage.take(), [ready]);
  assert.equal(stage.reloader.isBusy, true);
  leave();
  await settle();
  assert.equal(stage.reloader.isBusy, false);
});

test("Reloader does once more what was asked for while it ran, be it while the last message leaves", async () => {
  const stage = new Stage();
  stage.reloader.open();
  stage.reloader.request();
  await stage.take();
  stage.reloader.request();
  stage.reloader.request();
  assert.deepEqual(await stage.take(), []);
  let leave = () => {};
  stage.sending = new Promise((resolve) => leave = resolve);
  stage.done();
  assert.deepEqual(await stage.take(), [ready]);
  stage.reloader.request();
  leave();
  assert.deepEqual(await stage.take(), [reloading, "reload"]);
  stage.done();
  assert.deepEqual(await stage.take(), [ready]);
  assert.equal(stage.reloader.isBusy, false);
});

test("Reloader tells of a failure until a reload succeeds, and then gives the daemon's own status back", async () => {
  const stage = new Stage();
  stage.reloader.open();
  for (const why of ["no such file", "line 3 is odd"]) {
    stage.reloader.request();
    await stage.take();
    stage.done(new Error(why));
    const status = `Cannot reload, the old configuration is kept: ${why}`;
    assert.deepEqual(await stage.take(), [
      `err: Cannot reload: Error: ${why}`,
      JSON.stringify({ ready: true, status }),
    ]);
  }
  stage.reloader.request();
  await stage.take();
  stage.done();
  assert.deepEqual(await stage.take(), [JSON.stringify({ ready: true, status: "Serving" })]);
  stage.reloader.request();
  await stage.take();
  stage.done();
  assert.deepEqual(await stage.take(), [ready]);
});

test("Reloader logs what somebody threw that is no error", async () => {
  const stage = new Stage();
  stage.reloader.open();
  stage.reloader.request();
  await stage.take();
  stage.done({ line: 3 });
  const [logged, sent] = await stage.take();
  assert.equal(logged, 'err: Cannot reload: {"line":3}');
  assert.equal(JSON.parse(sent).status, 'Cannot reload, the old configuration is kept: {"line":3}');
});

test("Reloader says nothing after end(), be it amid a reload, and logs a failure of that one", async () => {
  const stage = new Stage();
  stage.reloader.open();
  stage.reloader.request();
  await stage.take();
  stage.reloader.request();
  stage.reloader.end();
  stage.done(new Error("late"));
  assert.deepEqual(await stage.take(), ["err: Cannot reload: Error: late"]);
  stage.reloader.request();
  assert.deepEqual(await stage.take(), []);
  assert.equal(stage.reloader.isBusy, false);
});

test("Reloader without a reload answers that it is ready", async () => {
  const stage = new Stage(false);
  stage.reloader.open();
  stage.reloader.request();
  assert.deepEqual(await stage.take(), [reloading, ready]);
});
