import type { Clock } from "../time/clock.ts";
import { type Deadline, deadlineOf, untilQuiet } from "../time/waiting.ts";
import type { Engine } from "./engine.ts";
import { openText } from "./open_text.ts";
import { isQuiet, silenceOf, silentMs } from "./quiet.ts";

/** What {@linkcode drain} drains. */
export interface Draining {
  readonly engine: Engine;
  readonly clock: Clock;
  /** The most that it may take, in milliseconds. */
  readonly drainMs: number;
  /** The most that streams and WebSockets are given, in milliseconds. */
  readonly streamMs: number;
  /** Says what is waited for. */
  readonly log: (text: string) => void;
}

/** How often to look at what is left, in milliseconds, and how many looks in a row must find that no connection is. */
const [lookMs, looks] = [20, 3];

/**
 * How long a response of unknown length is taken for an answer that ends by itself, in milliseconds: that of a proxy, say, whose handler passes
 * `request.signal` on. An event stream never is.
 */
const answerMs = 1000;

/** How often to tell the handlers that write streams, as others begin yet, in milliseconds. */
const abortEveryMs = 100;

/** Ends streams and WebSockets when their time is up, and tells what is waited for. */
class Stragglers {
  readonly #draining: Draining;
  readonly #start: number;
  /** Since when the runtime closes what is idle, so that what is left are streams, or half a request. */
  #closingSince = Infinity;
  #isTold = false;
  #abortedAt = -Infinity;

  constructor(draining: Draining) {
    this.#draining = draining;
    this.#start = draining.clock.now();
  }

  /**
   * The runtime closes what is idle.
   *
   * @param isSilent Whether half a request has been waited for already.
   */
  startClosing(isSilent: boolean): void {
    this.#closingSince = isSilent ? -Infinity : this.#draining.clock.now();
  }

  look(): void {
    const { engine, clock, streamMs } = this.#draining;
    const elapsedMs = clock.now() - this.#start;
    if (elapsedMs - this.#abortedAt >= abortEveryMs) {
      this.#abortedAt = elapsedMs;
      engine.abortStreams(elapsedMs >= answerMs ? "all" : "events");
    }
    const hasStreams = engine.streams() > 0;
    // Without streams, what is left once all is quiet is what a client has begun to send.
    const isDue = hasStreams ? elapsedMs >= streamMs : clock.now() - this.#closingSince >= silentMs;
    if (isDue || elapsedMs >= silentMs) this.#tell(elapsedMs);
    if (isDue) engine.endStreams();
  }

  #tell(elapsedMs: number): void {
    if (this.#isTold) return;
    const text = openText(this.#draining.engine.open(), elapsedMs);
    if (text === undefined) return;
    this.#isTold = true;
    this.#draining.log(text);
  }
}

/** Lets the runtime close what is idle, until nothing is left or the time is up. Gives whether it has closed. */
async function closeBy({ engine, clock }: Draining, end: Deadline, stragglers: Stragglers): Promise<boolean> {
  let isClosed = false;
  const closed = engine.close().then(() => isClosed = true);
  // A handler that never settles although its client is gone holds up a runtime's own end.
  for (let gone = 0; gone < looks;) {
    const tick = deadlineOf(clock, lookMs, closed);
    await Promise.race([closed, tick.over, end.over]).finally(tick.cancel);
    if (isClosed || end.isOver()) break;
    stragglers.look();
    gone = engine.connections() === 0 && engine.streams() === 0 ? gone + 1 : 0;
  }
  return isClosed;
}

/**
 * Ends an engine and loses nothing: it stops accepting, so that a client that comes now waits in the queue for the next instance; one that
 * was accepted gets the answer to what it sends, if it sends it; only then is it closed.
 *
 * systemd holds the socket, so a connection that was not accepted is safe; one that was accepted and not answered is what the
 * runtimes' own ways to stop lose.
 *
 * @throws What the engine says if it ends by itself, or cannot be closed. It has ended all the same.
 * @param draining The engine and how long it may take.
 */
export async function drain(draining: Draining): Promise<void> {
  const { engine, clock, drainMs } = draining;
  // The engine may end by itself; what it rejects with is told at the end.
  const end = deadlineOf(clock, drainMs, engine.finished);
  try {
    engine.stopAccepting();
    const start = clock.now();
    const stragglers = new Stragglers(draining);
    const isSilent = silenceOf(engine, clock);
    await untilQuiet(clock, () => isQuiet(engine, clock.now() - start), () => {
      stragglers.look();
      return end.isOver() || isSilent();
    });
    stragglers.startClosing(isSilent());
    const isClosed = !end.isOver() && await closeBy(draining, end, stragglers);
    if (!isClosed) engine.abort();
  } catch (error) {
    engine.abort();
    throw error;
  } finally {
    end.cancel();
  }
  await engine.finished;
}
