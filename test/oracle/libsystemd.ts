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

const source = fileURLToPath(new URL("listen_fds.c", import.meta.url));
const hex = (text: string) => Buffer.from(text).toString("hex");
const unhex = (text: string) => Buffer.from(text, "hex").toString();

function run(program: string, args: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${error ?? stderr}`);
  return stdout.trim();
}

/** Compiled here, so that it is the libsystemd of this system that is asked. */
function compile(program: string): void {
  const flags = run("pkg-config", ["--cflags", "--libs", "libsystemd"]).split(/\s+/).filter((flag) => flag !== "");
  run("cc", ["-Wall", "-Wextra", "-o", program, source, ...flags]);
}

/** A process with six sockets at 3 to 8 that asks libsystemd. */
export class Libsystemd implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "fd3-oracle-"));
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #complaints = "";

  constructor() {
    const program = join(this.#folder, "listen_fds");
    compile(program);
    this.#process = spawn(program);
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => this.#complaints += text);
    // Its death shows in the answers; the error of a write adds nothing.
    this.#process.stdin.on("error", () => {});
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** What LISTEN_PID must be for an environment to be meant for it. */
  get pid(): number {
    assert.ok(this.#process.pid !== undefined, "it did not start");
    return this.#process.pid;
  }

  async ask(env: Environment, keepEnv: boolean): Promise<Answer> {
    const words = Object.entries(env).map(([name, value]) => ` ${name}=${hex(value)}`);
    this.#process.stdin.write(`${keepEnv ? 0 : 1}${words.join("")}\n`);
    const { done, value } = await this.#answers.next();
    if (done) throw new Error(`libsystemd died on ${JSON.stringify(env)}: ${this.#complaints}`);
    const answer = JSON.parse(value) as Answer;
    return { ...answer, names: answer.names.map(unhex) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#process, "close");
    this.#process.stdin.end();
    if (this.#process.exitCode === null && this.#process.signalCode === null) await closed;
    rmSync(this.#folder, { recursive: true });
  }
}
