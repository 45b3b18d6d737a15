import type { Clock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { isQuiet, lookMs, looks, type Traffic } from "./traffic.ts";

/** What {@linkcode drain} drains. */
export interface Draining {
  readonly engine: Engine;
  readonly traffic: Traffic;
  /** The most that it may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Whether what is waited for is in vain: time is up, or the engine has ended by itself. */
interface End {
  readonly isOver: () => boolean;
  readonly over: Promise<void>;
  cancel(): void;
}

function endOf({ engine, timeoutMs, clock }: Draining): End {
  let isOver = timeoutMs === 0;
  let cancel = () => {};
  const over = new Promise<void>((resolve) => {
    const end = () => {
      isOver = true;
      resolve();
    };
    if (isOver) return resolve();
    // What it rejects with is told at the end.
    engine.finished.then(end, end);
    if (timeoutMs !== Infinity) cancel = clock.after(timeoutMs, end);
  });
  return { isOver: () => isOver, over, cancel: () => cancel() };
}

/**
 * After how many milliseconds without a request nobody waits any more for who owes one: browsers connect ahead and may never ask, and until
 * the end nobody else is served. So many looks must have found it so: an event loop that was blocked has read nothing meanwhile.
 */
export const silentMs = 5000;
const silentLooks = 100;

async function untilQuiet({ traffic, clock }: Draining, isOver: () => boolean): Promise<void> {
  const start = clock.now();
  let [since, silent, handled] = [start, 0, traffic.handled?.()];
  for (let quiet = 0; !isOver();) {
    const now = clock.now();
    quiet = isQuiet(traffic, now - start) ? quiet + 1 : 0;
    const isSilent = traffic.inFlight() === 0 && traffic.handled?.() === handled;
    if (isSilent) silent++;
    else [since, silent, handled] = [now, 0, traffic.handled?.()];
    if (quiet === looks || (silent >= silentLooks && now - since >= silentMs)) return;
    await new Promise<void>((resolve) => void clock.after(lookMs, resolve));
  }
}

/**
 * Ends an engine and loses nothing: it stops accepting, so that who comes now waits in the queue for the next instance; who was accepted
 * gets the answer to what they send, if they send it; only then is it closed. Every response must say `connection: close` by now.
 *
 * systemd holds the socket, so a connection that nobody has accepted is safe; one that was accepted and not answered is what the
 * runtimes' own ways to stop lose.
 *
 * @throws What the engine says if it ends by itself, or cannot be closed. It has ended all the same.
 * @param draining The engine and how long it may take.
 */
export async function drain(draining: Draining): Promise<void> {
  const { engine } = draining;
  const end = endOf(draining);
  try {
    engine.stopAccepting();
    await untilQuiet(draining, end.isOver);
    let isClosed = false;
    if (!end.isOver()) await Promise.race([engine.close().then(() => isClosed = true), end.over]);
    if (!isClosed) engine.abort();
  } catch (error) {
    engine.abort();
    throw error;
  } finally {
    end.cancel();
  }
  await engine.finished;
}
