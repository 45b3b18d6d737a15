import assert from "node:assert/strict";
import { test } from "node:test";
import { watchIdleConnections } from "../../src/http/idle.ts";

/** A timer that the test moves on. */
class FakeTimer {
  /** How long the one that is set waits; `undefined` if none is. */
  ms: number | undefined;
  #callback: () => void = () => {};

  readonly set = (ms: number, callback: () => void) => {
    this.ms = ms;
    this.#callback = callback;
    return () => this.ms = undefined;
  };

  ring(): void {
    this.ms = undefined;
    this.#callback();
  }
}

test("watchIdleConnections() looks four times in the limit, and seldom where a look takes long", () => {
  const timer = new FakeTimer();
  let took = 0;
  let looks = 0;
  const stop = watchIdleConnections(timer.set, 40_000, () => {
    looks++;
    const end = performance.now() + took;
    while (performance.now() < end);
  });
  assert.equal(timer.ms, 10_000);
  timer.ring();
  assert.ok(timer.ms! >= 10_000);
  took = 200;
  timer.ring();
  assert.ok(timer.ms! >= 20_000, String(timer.ms));
  assert.equal(looks, 2);
  stop();
  assert.equal(timer.ms, undefined);
});

test("watchIdleConnections() never looks where there is no limit", () => {
  const timer = new FakeTimer();
  watchIdleConnections(timer.set, Infinity, () => assert.fail())();
  assert.equal(timer.ms, undefined);
});
