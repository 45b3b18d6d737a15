// Runs suites, each of their units in a process of its own, and those that fail again, alone.
import { spawn } from "node:child_process";
import process from "node:process";
import { type Counts, type Outcome, outcomeOf } from "./outcome.ts";
import { root, type Suite } from "./suites.ts";

/** How often a unit that failed among the others must pass when it runs alone. */
const reruns = 2;
/** So many units may be unstable: more of them say that something else is wrong. */
const mostUnstable = 3;

/** How to run suites. */
export interface RunOptions {
  /** How many suites run at once. */
  readonly lanes: number;
  /** How long one unit may take, in milliseconds. */
  readonly longestMs: number;
  /** Whether a suite that cannot run has failed; else it is skipped. */
  readonly isStrict: boolean;
  /** Takes what is printed. */
  readonly show: (text: string) => void;
}

/** A unit that failed. */
interface Failure {
  readonly suite: string;
  readonly unit: readonly string[];
  readonly first: Outcome;
}

const keys = ["passed", "failed", "skipped"] as const;

/** The processes that run, each the leader of a group. */
const running = new Set<number>();

/** Ends a process and all that it started, if it is still there. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The last of it ended by itself.
  }
}

/** Ends what runs, and all that it started. */
export function killRunning(): void {
  for (const pid of running) killGroup(pid);
}

/** The environment of a test, without colors. Node 24 and later compile the sources once instead of at each start of a program. */
function environment(more: Suite["environment"]): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _color, NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const cache = `${root}node_modules/.cache/node`;
  return { ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", NODE_COMPILE_CACHE: cache, ...more };
}

/** Runs a unit to its end, and shows what it prints. */
async function runUnit(
  { command, summary, environment: more }: Suite,
  unit: readonly string[],
  { longestMs, show }: RunOptions,
): Promise<Outcome> {
  const [file, ...args] = [...command, ...unit];
  // A group of its own, so that what it started can be ended with it.
  const env = environment(more);
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env, detached: true });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  let output = "";
  const take = (text: string) => {
    output += text;
    show(text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", take);
  const limit = setTimeout(() => {
    take(`killed, since it takes longer than ${longestMs / 60_000} minutes\n`);
    killGroup(pid!);
    // What left the group could hold these open for ever.
    child.stdout.destroy();
    child.stderr.destroy();
  }, longestMs);
  const status = await new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      take(`${error.message}\n`);
      resolve(null);
    });
    child.once("close", resolve);
  });
  clearTimeout(limit);
  running.delete(pid!);
  return outcomeOf(output, status, summary);
}

/** Calls back for each, so many at a time. */
async function eachOf<T>(items: readonly T[], atOnce: number, callback: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await callback(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** All suites of a run. */
class Run {
  readonly #suites: Readonly<Record<string, () => Suite>>;
  readonly #options: RunOptions;
  readonly #failures: Failure[] = [];
  readonly total: Counts = { passed: 0, failed: 0, skipped: 0 };

  constructor(suites: Readonly<Record<string, () => Suite>>, options: RunOptions) {
    this.#suites = suites;
    this.#options = options;
  }

  #add(counts: Counts): void {
    for (const key of keys) this.total[key] += counts[key];
  }

  /** Runs the units of one suite, and shows what they print in one piece each. */
  async suite(name: string): Promise<void> {
    const { isStrict, show } = this.#options;
    const suite = this.#suites[name]();
    if (suite.obstacle !== undefined) {
      show(`\n== ${name} ${isStrict ? "failed" : "skipped"}: ${suite.obstacle}\n`);
      this.total[isStrict ? "failed" : "skipped"]++;
      return;
    }
    const started = Date.now();
    const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
    await eachOf(suite.units, suite.atOnce, async (unit) => {
      let text = `\n== ${name}: ${unit[0]}\n`;
      const first = await runUnit(suite, unit, { ...this.#options, show: (more) => text += more });
      show(text);
      for (const key of keys) counts[key] += first[key];
      if (first.failed === 0) this.#add(first);
      else this.#failures.push({ suite: name, unit, first });
    });
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    show(`\n== ${name}: ${counts.passed} passed, ${counts.failed} failed, ${seconds} s\n`);
  }

  /** Runs the units that failed again, alone: a machine that is busy with the others is no fault, and is not to hide one. */
  async again(): Promise<void> {
    const { show } = this.#options;
    const unstable: Failure[] = [];
    let failed = "";
    for (const failure of this.#failures) {
      const { suite, unit, first } = failure;
      const last = await this.#alone(failure);
      this.#add(last);
      if (last.failed === 0) unstable.push(failure);
      else failed += `\n== failed in ${suite}: ${unit[0]}\n${first.details}\n`;
    }
    show(failed);
    if (unstable.length === 0) return;
    show("\n== unstable: failed among the others, and passed alone\n");
    for (const { suite, unit, first } of unstable) show(`${suite}: ${unit[0]}\n${first.details}\n`);
    if (unstable.length <= mostUnstable) return;
    show(`failed: ${unstable.length} are unstable, more than ${mostUnstable}\n`);
    this.total.failed += unstable.length;
  }

  /** The last of its runs alone, or the first that failed. */
  async #alone({ suite, unit }: Failure): Promise<Outcome> {
    let last: Outcome | undefined;
    for (let rerun = 1; rerun <= reruns && (last === undefined || last.failed === 0); rerun++) {
      this.#options.show(`\n== ${suite}: ${unit[0]}, again, alone (${rerun} of ${reruns})\n`);
      last = await runUnit(this.#suites[suite](), unit, this.#options);
    }
    return last!;
  }
}

/**
 * Runs suites. A unit that fails runs again when all the others are through, alone, twice: if it passes both times it has passed, and stands in a
 * list of what is unstable. More than three of those fail the run.
 *
 * @param suites Each by its name, made when its turn comes.
 */
export async function runSuites(
  suites: Readonly<Record<string, () => Suite>>,
  options: RunOptions,
): Promise<Counts> {
  const run = new Run(suites, options);
  await eachOf(Object.keys(suites), options.lanes, (name) => run.suite(name));
  await run.again();
  return run.total;
}
