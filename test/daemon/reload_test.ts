import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../fixtures/fake_clock.ts";
import { FakeLife } from "./fixtures/fake_life.ts";

const handler = () => new Response();

/** A reload that takes as long as the test wants, and fails if it says so. */
class SlowReload {
  #settle: (error?: Error) => void = () => {};
  readonly #life: FakeLife;

  constructor(life: FakeLife) {
    this.#life = life;
  }

  readonly run = (): Promise<void> => {
    this.#life.log.push("reload");
    return new Promise((resolve, reject) => this.#settle = (error) => error === undefined ? resolve() : reject(error));
  };

  async end(error?: Error): Promise<void> {
    this.#settle(error);
    await settle();
  }
}

async function ready(): Promise<{ life: FakeLife; reload: SlowReload }> {
  const life = new FakeLife();
  const reload = new SlowReload(life);
  void life.start(async (context) => {
    await context.serve(handler);
    context.status("Serving");
  }, { reload: reload.run, watchdog: false });
  await settle();
  life.take();
  return { life, reload };
}

test("daemon() reloads on SIGHUP, one time after the other", async () => {
  const { life, reload } = await ready();
  await life.signal("SIGHUP");
  assert.deepEqual(life.take(), ["SIGHUP", "tell reloading", "reload"]);
  await life.signal("SIGHUP");
  await life.signal("SIGHUP");
  assert.deepEqual(life.take(), ["SIGHUP", "SIGHUP"]);
  await reload.end();
  assert.deepEqual(life.take(), ["tell ready", "tell reloading", "reload"]);
  await reload.end();
  // Both were before it began.
  assert.deepEqual(life.take(), ["tell ready"]);
});

test("daemon() says that a reload failed until one succeeds", async () => {
  const { life, reload } = await ready();
  await life.signal("SIGHUP");
  life.take();
  await reload.end(new Error("line 3\nis odd"));
  assert.deepEqual(life.take(), [
    "log err: Cannot reload: Error: line 3",
    "tell ready status=Cannot reload, the old configuration is kept: line 3 is odd",
  ]);
  await life.signal("SIGHUP");
  await reload.end();
  assert.deepEqual(life.take(), ["SIGHUP", "tell reloading", "reload", "tell ready status=Serving"]);
});

test("daemon() takes a reload that throws at once", async () => {
  const life = new FakeLife();
  void life.start(() => {}, {
    watchdog: false,
    reload: () => {
      throw new Error("no");
    },
  });
  await settle();
  await life.signal("SIGHUP");
  assert.deepEqual(life.take().slice(2), [
    "tell reloading",
    "log err: Cannot reload: Error: no",
    "tell ready status=Cannot reload, the old configuration is kept: no",
  ]);
});

test("daemon() without a reload answers SIGHUP, and does nothing", async () => {
  const life = new FakeLife();
  void life.start(() => {}, { watchdog: false });
  await settle();
  await life.signal("SIGHUP");
  assert.deepEqual(life.take(), ["tell ready", "SIGHUP", "tell reloading", "tell ready"]);
});

test("daemon() reloads after the start what was asked for during it", async () => {
  const life = new FakeLife();
  let open = () => {};
  void life.start(() => new Promise<void>((resolve) => open = resolve), {
    watchdog: false,
    reload: () => void life.log.push("reload"),
  });
  await life.signal("SIGHUP");
  await life.signal("SIGHUP");
  assert.deepEqual(life.take(), ["SIGHUP", "SIGHUP"]);
  open();
  await settle();
  assert.deepEqual(life.take(), ["tell ready", "tell reloading", "reload", "tell ready"]);
});

test("daemon() reloads nothing while it stops, and does not take stopping back", async () => {
  const { life, reload } = await ready();
  await life.signal("SIGHUP");
  await life.signal("SIGHUP");
  await life.signal("SIGTERM");
  await life.signal("SIGHUP");
  life.take();
  await reload.end();
  assert.deepEqual(life.take(), []);
  life.servers[0].end();
  await settle();
  assert.deepEqual(life.take(), ["exit 0"]);
});
