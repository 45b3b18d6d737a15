/** Time as the drain needs it, which tests make their own. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls back after so many milliseconds; gives what cancels that. */
  after(ms: number, callback: () => void): () => void;
}

/** The clock on the wall. */
export const clock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
