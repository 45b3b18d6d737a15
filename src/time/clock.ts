/** Time as the drain needs it, which tests make their own. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls back after so many milliseconds; gives what cancels that. */
  after(ms: number, callback: () => void): () => void;
}

/** The longest that a timer of any runtime waits, in milliseconds: they take a longer time for 1 ms. */
export const longestTimeout: number = 2 ** 31 - 1;

/** Whether it is a time that a timer can wait, in milliseconds. */
export function isTimeout(value: unknown, least: number): boolean {
  return typeof value === "number" && value >= least && value <= longestTimeout;
}

/** The clock on the wall. */
export const clock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
