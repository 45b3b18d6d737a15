import type { Clock } from "./clock.ts";

/** The end of the time that something may take. */
export interface Deadline {
  isOver(): boolean;
  /** Settles when it has come; never rejects. */
  readonly over: Promise<void>;
  cancel(): void;
}

/**
 * A deadline that begins to run now.
 *
 * @param ms How long, in milliseconds; Infinity is for ever.
 * @param sooner What ends it sooner, when it has settled.
 */
export function deadlineOf(clock: Clock, ms: number, sooner?: Promise<unknown>): Deadline {
  let isOver = ms === 0;
  let cancel = () => {};
  const over = new Promise<void>((resolve) => {
    const end = () => {
      isOver = true;
      resolve();
    };
    if (isOver) return resolve();
    sooner?.then(end, end);
    if (ms !== Infinity) cancel = clock.after(ms, end);
  });
  return { isOver: () => isOver, over, cancel: () => cancel() };
}

/** How many looks in a row must find it quiet, and how far they are apart, in milliseconds: one look is not enough. */
const [looks, lookMs] = [3, 10];

/**
 * Looks again and again until it is quiet.
 *
 * @param isQuiet Whether nothing is under way.
 * @param isOver Whether that is waited for in vain; asked before each look.
 */
export async function untilQuiet(clock: Clock, isQuiet: () => boolean, isOver: () => boolean): Promise<void> {
  for (let quiet = 0; !isOver();) {
    const begin = clock.now();
    quiet = isQuiet() ? quiet + 1 : 0;
    if (quiet === looks) return;
    // One that takes long, at thousands of connections, leaves them as much time as it took.
    const restMs = Math.max(lookMs, clock.now() - begin);
    await new Promise<void>((resolve) => void clock.after(restMs, resolve));
  }
}
