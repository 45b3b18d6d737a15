import type { BackgroundTimer } from "../../src/http/idle.ts";

/** A `setTimeout()` that gives an object: that of Bun and Node, and of node:timers everywhere. */
type SetTimeout = (callback: () => void, ms: number) => unknown;

/**
 * A timer that does not keep the process alive.
 *
 * @param set What sets it.
 */
export function backgroundTimerOf(set: SetTimeout): BackgroundTimer {
  return (ms, callback) => {
    const timer = set(callback, ms) as { unref(): void };
    timer.unref();
    return () => clearTimeout(timer as unknown as number);
  };
}
