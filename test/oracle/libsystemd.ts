import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../src/activation/listen_fds.ts";

/** All that sd_listen_fds_with_names(3) does, seen from outside. */
export interface Answer {
  /** The count, or the name of the errno. */
  readonly result: number | string;
  readonly names: readonly string[];
  /** Which of the descriptors have FD_CLOEXEC. */
  readonly cloexec: readonly number[];
  /** Which of the variables are still set. */
  readonly left: readonly string[];
}

/** What sd_notify(3), sd_notify_barrier(3) and sd_watchdog_enabled(3) do, seen from outside. */
export interface NotifyAnswer {
  /** What the function returns, or the name of the errno. */
  readonly result: number | string;
  /** The watchdog's interval; "0" if there is none. */
  readonly usec: string;
  /** Which of the variables are still set. */
  readonly left: readonly string[];
}

const hex = (text: string) => Buffer.from(text).toString("hex");
const unhex = (text: string) => Buffer.from(text, "hex").toString();

function run(program: string, args: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${error ?? stderr}`);
  return stdout.trim();
}

/** Compiled here, so that it is the libsystemd of this system that is asked. */
function compile(source: string, program: string): void {
  const flags = run("pkg-config", ["--cflags", "--libs", "libsystemd"]).split(/\s+/).filter((flag) => flag !== "");
  run("cc", ["-Wall", "-Wextra", "-o", program, source, ...flags]);
}

/** A process that asks libsystemd. */
class Oracle implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "fd3-oracle-"));
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #complaints = "";

  constructor(source: string) {
    const program = join(this.#folder, "oracle");
    compile(fileURLToPath(new URL(source, import.meta.url)), program);
    this.#process = spawn(program);
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => this.#complaints += text);
    // Its death shows in the answers; the error of a write adds nothing.
    this.#process.stdin.on("error", () => {});
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** What LISTEN_PID or WATCHDOG_PID must be for an environment to be meant for it. */
  get pid(): number {
    assert.ok(this.#process.pid !== undefined, "it did not start");
    return this.#process.pid;
  }

  protected async exchange(words: readonly string[], env: Readonly<Record<string, string>>): Promise<unknown> {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${hex(value)}`);
    this.#process.stdin.write(`${[...words, ...variables].join(" ")}\n`);
    const { done, value } = await this.#answers.next();
    if (done) throw new Error(`libsystemd died on ${JSON.stringify(env)}: ${this.#complaints}`);
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#process, "close");
    this.#process.stdin.end();
    if (this.#process.exitCode === null && this.#process.signalCode === null) await closed;
    rmSync(this.#folder, { recursive: true });
  }
}

/** A process with six sockets at 3 to 8 that asks libsystemd for them. */
export class Libsystemd extends Oracle {
  constructor() {
    super("listen_fds.c");
  }

  async ask(env: Environment, keepEnv: boolean): Promise<Answer> {
    const answer = await this.exchange([keepEnv ? "0" : "1"], env as Record<string, string>) as Answer;
    return { ...answer, names: answer.names.map(unhex) };
  }
}

/** A process that sends by libsystemd. */
export class NotifyLibsystemd extends Oracle {
  constructor() {
    super("notify.c");
  }

  /** sd_pid_notify_with_fds(3) of itself, with one descriptor several times; `null` is no state. */
  notify(
    env: Readonly<Record<string, string>>,
    state: string | null,
    { keepEnv = false, count = 0, fd = 0 } = {},
  ): Promise<NotifyAnswer> {
    const words = [keepEnv ? "0" : "1", "notify", state === null ? "-" : `x${hex(state)}`, String(count), String(fd)];
    return this.exchange(words, env) as Promise<NotifyAnswer>;
  }

  /** sd_notify_barrier(3). */
  barrier(env: Readonly<Record<string, string>>, usec: number, keepEnv = false): Promise<NotifyAnswer> {
    return this.exchange([keepEnv ? "0" : "1", "barrier", String(usec)], env) as Promise<NotifyAnswer>;
  }

  /** sd_watchdog_enabled(3). */
  watchdog(env: Readonly<Record<string, string>>, keepEnv = false): Promise<NotifyAnswer> {
    return this.exchange([keepEnv ? "0" : "1", "watchdog"], env) as Promise<NotifyAnswer>;
  }

  /** sd_booted(3). */
  booted(): Promise<NotifyAnswer> {
    return this.exchange(["0", "booted"], {}) as Promise<NotifyAnswer>;
  }
}
