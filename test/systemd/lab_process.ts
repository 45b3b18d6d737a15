/**
 * Commands inside a lab: started by nsenter(1), stopped by PID.
 */

import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { readFileSync } from "node:fs";

/** What a command in the lab did. */
export interface RunResult {
  /** The exit status, or `null` if a signal ended the command. */
  status: number | null;
  stdout: string;
  stderr: string;
}

/** How to run a command in the lab. */
export interface RunOptions {
  /** What the command reads on standard input. Nothing by default. */
  input?: string;
  /**
   * After how many milliseconds the command is killed.
   *
   * @default {30_000}
   */
  timeoutMs?: number;
}

/**
 * The whole environment of a command. The driver's own would bring
 * `NODE_TEST_CONTEXT`, `NODE_OPTIONS` or `NOTIFY_SOCKET` along, which change
 * what is tested.
 */
const ENVIRONMENT: NodeJS.ProcessEnv = {
  HOME: "/root",
  LANG: "C.UTF-8",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

/**
 * Starts a command in the namespaces of the process `pid`. The child is nsenter
 * with the command as its own child: nsenter passes the exit status on, and
 * `kill()` is redirected to the command, which nsenter would not do.
 */
export function enter(
  pid: number,
  argv: readonly string[],
  stdio: StdioOptions = "pipe",
): ChildProcess {
  const child = spawn("nsenter", [
    `--target=${pid}`,
    ...["--mount", "--uts", "--ipc", "--pid", "--net", "--cgroup", "--root"],
    // If nsenter alone is killed, the command must not live on.
    ...["setpriv", "--pdeathsig", "KILL"],
    ...["env", "--chdir=/", ...argv],
    // A process group of its own is what a timeout can kill as a whole.
  ], { stdio, env: ENVIRONMENT, detached: true });
  child.kill = (signal = "SIGTERM") => {
    const target = commandOf(child);
    return target !== undefined && signalTo(target, signal);
  };
  return child;
}

/**
 * Runs a command in the namespaces of the process `pid` to its end.
 *
 * @throws {Error} If the command is not through in time; the message has its
 * output so far.
 */
export function run(
  pid: number,
  argv: readonly string[],
  { input = "", timeoutMs = 30_000 }: RunOptions = {},
): Promise<RunResult> {
  const child = enter(pid, argv);
  const result: RunResult = { status: null, stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text) => result.stdout += text);
  child.stderr?.setEncoding("utf8").on("data", (text) => result.stderr += text);
  // A command may exit without reading its input: EPIPE.
  child.stdin?.on("error", () => {}).end(input);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      killGroup(child);
      // Whatever left the group could hold these open for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
      reject(failure(argv, `it still runs after ${timeoutMs} ms`, result));
    }, timeoutMs);
    child.once("error", (cause) => {
      clearTimeout(timer);
      reject(cause);
    });
    child.once("close", (status) => {
      clearTimeout(timer);
      resolve({ ...result, status });
    });
  });
}

/** The error for a command that did not do what it was run for. */
export function failure(
  argv: readonly string[],
  reason: string,
  { stdout, stderr }: RunResult,
): Error {
  return new Error(
    `Cannot run ${JSON.stringify(argv.join(" "))} in the lab: ${reason}\n` +
      `--- stdout\n${stdout}\n--- stderr\n${stderr}`,
  );
}

/** Resolves when the process is gone. Its output may still be unread. */
export function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const gone = child.exitCode !== null || child.signalCode !== null;
    if (gone || child.pid === undefined) resolve();
    else child.once("exit", () => resolve());
  });
}

/** nsenter's child, nsenter itself until it has one, or nothing at the end. */
function commandOf({ pid }: ChildProcess): number | undefined {
  try {
    const path = `/proc/${pid}/task/${pid}/children`;
    return Number.parseInt(readFileSync(path, "utf8")) || pid;
  } catch {
    return undefined;
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) signalTo(-pid, "SIGKILL");
}

/** False if there is nobody left to signal. */
function signalTo(pid: number, signal: NodeJS.Signals | number): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
