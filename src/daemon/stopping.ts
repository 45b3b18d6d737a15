import type { Clock } from "../time/clock.ts";
import { type Deadline, deadlineOf } from "../time/waiting.ts";
import type { Part } from "./part.ts";

/** Waits until a promise has settled, at most so many milliseconds. */
export async function settledBy(clock: Clock, promise: Promise<unknown>, ms: number): Promise<void> {
  const limit = deadlineOf(clock, ms, promise);
  await limit.over;
  limit.cancel();
}

/** What {@linkcode drainAll} waits for. */
export interface DrainingParts {
  readonly clock: Clock;
  readonly parts: readonly Part[];
  /** Settles when `setup` has: it may be at it yet. */
  readonly setUp: Promise<void>;
  readonly deadline: Deadline;
  /** Told of what cannot be stopped. */
  readonly report: (error: unknown) => void;
}

/** How long a server may take to end once it has cut off what was left, in milliseconds. */
const cutMs = 1000;

/**
 * Stops accepting everywhere before it returns, and settles when what was in flight has ended, or when time is up and it was cut off.
 */
export async function drainAll({ clock, parts, setUp, deadline, report }: DrainingParts): Promise<void> {
  const stops = parts.map((part) => part.stop().catch(report));
  void deadline.over.then(() => {
    for (const part of parts) part.cut();
  });
  let isDone = false;
  const done = Promise.all([...stops, Promise.race([setUp, deadline.over])]).then(() => isDone = true);
  await Promise.race([done, deadline.over]);
  if (!isDone) await settledBy(clock, done, cutMs);
}

/** When what has not ended asks for more time first, how often after that, and how much of it: in milliseconds. */
const [firstMs, everyMs, moreMs] = [200, 1000, 5000];

/**
 * Asks for more time, again and again: TimeoutStopSec= counts anew from each. It is asked from the event loop, so one that hangs gets none.
 *
 * @param ask Asks for so many milliseconds from now on.
 * @returns What ends it.
 */
export function keepExtending(clock: Clock, ask: (ms: number) => void): () => void {
  const beat = () => {
    ask(moreMs);
    cancel = clock.after(everyMs, beat);
  };
  let cancel = clock.after(firstMs, beat);
  return () => cancel();
}

/** Calls the cleanups, the last one first and one after the other, those too that are added meanwhile. One that fails stops no other. */
export async function cleanUp(cleanups: (() => unknown)[], report: (error: unknown) => void): Promise<void> {
  let cleanup: (() => unknown) | undefined;
  while ((cleanup = cleanups.pop()) !== undefined) {
    try {
      await cleanup();
    } catch (error) {
      report(error);
    }
  }
}
