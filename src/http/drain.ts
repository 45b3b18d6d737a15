import type { Clock } from "../time/clock.ts";
import type { Engine } from "./engine.ts";
import { isQuiet, type Traffic } from "./traffic.ts";
import { deadlineOf, untilQuiet } from "../time/waiting.ts";

/** What {@linkcode drain} drains. */
export interface Draining {
  readonly engine: Engine;
  readonly traffic: Traffic;
  /** The most that it may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * After how many milliseconds without a request nobody waits any more for who owes one: browsers connect ahead and may never ask, and until
 * the end nobody else is served. So many looks must have found it so: an event loop that was blocked has read nothing meanwhile.
 */
export const silentMs = 5000;
const silentLooks = 100;

/** Tells, asked at each look, whether nobody has sent a request for that long. */
function silenceIn({ traffic, clock }: Draining): () => boolean {
  let [since, silent, handled] = [clock.now(), 0, traffic.handled?.()];
  return () => {
    if (traffic.inFlight() > 0 || traffic.handled?.() !== handled) {
      [since, silent, handled] = [clock.now(), 0, traffic.handled?.()];
      return false;
    }
    return ++silent >= silentLooks && clock.now() - since >= silentMs;
  };
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
  const { engine, traffic, timeoutMs, clock } = draining;
  // The engine may end by itself; what it rejects with is told at the end.
  const end = deadlineOf(clock, timeoutMs, engine.finished);
  try {
    engine.stopAccepting();
    const start = clock.now();
    const isSilent = silenceIn(draining);
    await untilQuiet(clock, () => isQuiet(traffic, clock.now() - start), () => end.isOver() || isSilent());
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
