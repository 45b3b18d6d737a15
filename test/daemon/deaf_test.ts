// A daemon whose service manager does not read, and one whose first request keeps the event loop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../fixtures/http_client.ts";
import { withLives } from "../fixtures/lives.ts";
import { runtime } from "../fixtures/runtime.ts";

test(`daemon() serves and ends while its service manager reads nothing (${runtime})`, async () => {
  await withLives({ isDeaf: true, env: { WATCHDOG_USEC: "200000" } }, async (life, way) => {
    await life.says("set up");
    assert.equal(await ask(life.held.target), "200 Hello", way.name);
    life.signal("SIGHUP");
    await life.says("reload 1 ended");
    assert.equal(await ask(life.held.target), "200 Hello 1", way.name);
    const ended = life.terminate();
    await life.says("cleanup: first");
    assert.equal(await ended, 0, `${way.name}: ${life.stderr()}`);
    assert.doesNotMatch(life.stderr(), /Cannot/, way.name);
  });
});

test(`daemon() tells its service manager everything once that reads (${runtime})`, async () => {
  await withLives({ isDeaf: true }, async (life, way) => {
    await life.says("set up");
    for (let i = 0; i < 5; i++) assert.equal(await ask(life.held.target, { path: `/status?${i}` }), "200 told");
    await life.hears(/^READY=1/);
    await life.hears(/^STATUS=4$|^READY=1\nSTATUS=4$/);
    const ended = life.terminate();
    await life.hears(/^STOPPING=1$/);
    assert.equal(await ended, 0, `${way.name}: ${life.stderr()}`);
  });
});

for (const transport of ["unix", "tcp"] as const) {
  test(`READY=1 does not wait for a first request that keeps the event loop (${runtime}, ${transport})`, async () => {
    await withLives({ transport, waiting: "/block" }, async (life, way) => {
      await life.says("block began");
      await life.hears(/^READY=1/);
      life.child.stdin!.end("x");
      assert.equal(await life.first, "200 not blocked any more", way.name);
      assert.equal(await life.terminate(), 0, `${way.name}: ${life.stderr()}`);
    });
  });
}
