/** Calls back once after so many milliseconds, without keeping the process alive until then; gives what cancels that. */
export type BackgroundTimer = (ms: number, callback: () => void) => () => void;

/** For how long a connection may have nothing to do, in milliseconds. */
export const defaultIdleTimeout = 120_000;

/** How often is looked within the limit. */
export const looksInLimit = 4;

/** Which part of the time one look may take, of thousands of connections. */
const share = 0.01;

/**
 * Looks again and again for connections that have had nothing to do for too long, so that they are found a quarter late at most, unless a
 * look takes long.
 *
 * @param timer The runtime's.
 * @param limitMs How long that is; Infinity looks never.
 * @param look Finds and closes them.
 * @returns What ends that.
 */
export function watchIdleConnections(timer: BackgroundTimer, limitMs: number, look: () => void): () => void {
  if (limitMs === Infinity) return () => {};
  const restMs = limitMs / looksInLimit;
  let cancel: () => void;
  const wait = (ms: number) => {
    cancel = timer(ms, () => {
      const begin = performance.now();
      look();
      wait(Math.max(restMs, (performance.now() - begin) / share));
    });
  };
  wait(restMs);
  return () => cancel();
}
