import { log } from "../service/log.ts";
import { Fd3Error } from "../errors.ts";
import { variable } from "./manager.ts";
import type { NotifyHost } from "./host.ts";
import { notify } from "./notify.ts";
import { quoted, refusing } from "../quoted.ts";
import { longestTimeout } from "../time/clock.ts";
import type { Watchdog, WatchdogOptions } from "./types.ts";
import { parsePid, parseUint64 } from "../activation/number.ts";

/**
 * @throws {TypeError} If an option of `watchdog()` is not of its kind.
 */
function checkOptions({ check, checkTimeout, whenUnhealthy, onProblem }: WatchdogOptions): void {
  const refuse = refusing("start the watchdog");
  for (const [name, value] of Object.entries({ check, onProblem })) {
    if (value !== undefined && typeof value !== "function") refuse(name, value, "not a function");
  }
  if (checkTimeout !== undefined && !(typeof checkTimeout === "number" && checkTimeout > 0)) {
    refuse("checkTimeout", checkTimeout, "not a number of milliseconds above 0");
  }
  if (whenUnhealthy !== undefined && whenUnhealthy !== "withhold" && whenUnhealthy !== "trigger") {
    refuse("whenUnhealthy", whenUnhealthy, 'not "withhold" or "trigger"');
  }
}

/** Pings at half the interval for as long as the service is well. */
class PingLoop implements Watchdog {
  readonly intervalMs: number;
  readonly #host: NotifyHost;
  readonly #options: WatchdogOptions;
  /** When the next beat is due, by the host's clock. */
  #due: number;
  #cancelBeat: () => void = () => {};
  #cancelCheck: () => void = () => {};
  /** The check that has not settled yet; a check that hangs is not started again. */
  #running: Promise<unknown> | undefined;
  #stopped = false;

  constructor(host: NotifyHost, intervalMs: number, options: WatchdogOptions) {
    this.intervalMs = intervalMs;
    this.#host = host;
    this.#options = options;
    this.#due = host.now();
  }

  /** One ping, and the next one planned. */
  beat(): void {
    if (this.#stopped) return;
    const now = this.#host.now();
    const next = this.#due + this.#period;
    // From when this one was due, so that delays do not add up; after a long one there is nothing to catch up with.
    this.#due = next > now ? next : now + this.#period;
    this.#sleep();
    this.#examine();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelBeat();
    this.#cancelCheck();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  get #period(): number {
    return this.intervalMs / 2;
  }

  #sleep(): void {
    const left = this.#due - this.#host.now();
    this.#cancelBeat = left > longestTimeout
      ? this.#host.after(longestTimeout, () => this.#sleep())
      : this.#host.after(Math.max(left, 1), () => this.beat());
  }

  #examine(): void {
    const { check, checkTimeout = this.#period } = this.#options;
    if (check === undefined) return this.#send("ping");
    // The one before is late: that was said when its time was over, or it has some left.
    if (this.#running !== undefined) return;
    let answer: unknown;
    try {
      answer = check();
    } catch (error) {
      return this.#unhealthy("the health check threw", error);
    }
    if (typeof Object(answer).then !== "function") return this.#judge(answer);
    const running = this.#running = Promise.resolve(answer);
    let open = true;
    const once = (settle: () => void) => {
      if (open && !this.#stopped) settle();
      open = false;
    };
    const forget = () => {
      this.#cancelCheck();
      this.#running = undefined;
    };
    running.finally(forget).then(
      (value) => once(() => this.#judge(value)),
      (error) => once(() => this.#unhealthy("the health check rejected", error)),
    );
    const late = () => this.#unhealthy(`the health check has not settled within ${checkTimeout} ms`);
    this.#cancelCheck = this.#host.after(Math.min(checkTimeout, longestTimeout), () => once(late));
  }

  #judge(answer: unknown): void {
    if (answer === false) this.#unhealthy("the health check gave false");
    else this.#send("ping");
  }

  #unhealthy(why: string, cause?: unknown): void {
    const options = cause === undefined ? undefined : { cause };
    this.#problem(new Fd3Error("ERR_FD3_UNHEALTHY", `Cannot ping the watchdog: ${why}`, options));
    if (this.#options.whenUnhealthy === "trigger") this.#send("trigger");
  }

  #send(what: "ping" | "trigger"): void {
    try {
      const sent = notify(this.#host, { watchdog: what }, this.#options, "ping the watchdog");
      if (typeof sent !== "boolean") sent.catch((error) => this.#problem(error));
    } catch (error) {
      this.#problem(error);
    }
  }

  #problem(error: unknown): void {
    const { onProblem } = this.#options;
    if (onProblem !== undefined) return onProblem(error);
    const { message, cause } = error as Error;
    log(this.#host, "err", `fd3: ${message}${cause instanceof Error ? `: ${cause.message}` : ""}`);
  }
}

/** See {@linkcode NotifyApi.watchdog}. */
export function watchdog(host: NotifyHost, options: WatchdogOptions = {}): Watchdog | undefined {
  const [usec, pid] = (["WATCHDOG_USEC", "WATCHDOG_PID"] as const).map((name) => variable(host, name, options));
  checkOptions(options);
  const interval = watchdogUsec(usec, pid, host.pid());
  if (interval === undefined) return undefined;
  const loop = new PingLoop(host, Number(interval) / 1000, options);
  loop.beat();
  return loop;
}

const infinity = 2n ** 64n - 1n;

/**
 * sd_watchdog_enabled(3), in libsystemd's own order of checks.
 *
 * @throws {Fd3Error} `EINVAL` or `ERANGE`, where libsystemd returns these.
 * @param usec WATCHDOG_USEC.
 * @param pid WATCHDOG_PID; unset means everybody.
 * @param ownPid This process.
 * @returns The interval in microseconds, `undefined` where nobody waits for us.
 */
export function watchdogUsec(usec: string | undefined, pid: string | undefined, ownPid: number): bigint | undefined {
  if (usec === undefined) return undefined;
  const interval = parseUint64("WATCHDOG_USEC", usec);
  if (interval === 0n || interval === infinity) {
    throw new Fd3Error("EINVAL", `Cannot read WATCHDOG_USEC: ${quoted(usec)} is no interval`);
  }
  if (pid !== undefined && parsePid("WATCHDOG_PID", pid) !== ownPid) return undefined;
  return interval;
}
