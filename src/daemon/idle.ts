import type { Clock } from "../time/clock.ts";
import type { Part } from "./part.ts";

/** What {@linkcode watchIdle} watches. */
export interface IdleParts {
  readonly clock: Clock;
  /** After how long without anybody, in milliseconds. */
  readonly timeoutMs: number;
  /** What the daemon serves with now. */
  readonly parts: readonly Part[];
  /** Whether the next client starts the daemon again. */
  readonly canComeBack: () => boolean;
  /** Whether it is busy with something else. */
  readonly isBusy: () => boolean;
  readonly onIdle: () => void;
}

/** Looks so often in the time: it ends at most a quarter of it late. Who came and left between two looks is counted. */
const looksInTime = 4;

/**
 * Calls back once when nobody was there for a time.
 *
 * @returns What ends the watch.
 */
export function watchIdle({ clock, timeoutMs, parts, canComeBack, isBusy, onIdle }: IdleParts): () => void {
  let since = clock.now();
  let visitsBefore = -1;
  let quiet = 0;
  let cancel = () => {};
  const look = () => {
    const visits = parts.reduce((sum, part) => sum + part.visits(), 0);
    const isQuiet = visits === visitsBefore && !isBusy() && !parts.some((part) => part.isBusy());
    visitsBefore = visits;
    quiet = isQuiet ? quiet + 1 : 0;
    if (!isQuiet) since = clock.now();
    // Not by the clock alone: where looks come late, as on a busy machine, the event loop has had no turns to accept the client who waits.
    if (quiet >= looksInTime && clock.now() - since >= timeoutMs && canComeBack()) return onIdle();
    cancel = clock.after(timeoutMs / looksInTime, look);
  };
  look();
  return () => cancel();
}
