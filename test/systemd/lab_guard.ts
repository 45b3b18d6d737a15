/**
 * The driver's side of lab_guard.sh, the process that owns a lab.
 */

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("lab_guard.sh", import.meta.url));

/** The exit status of lab_guard.sh if it could not clean up. Any other failure of it is one to boot. */
const LEFTOVERS = 75;

/** The process that owns a lab and removes it when it is released. */
export interface Guard {
  /** Errors of the scripts and, once the guard is gone, systemd's console. */
  readonly output: string;
  /** Whether the lab is gone, by itself or because of `release()`. */
  readonly closed: boolean;
  /** The lab's PID 1, or `undefined` if the lab never came that far. */
  readonly pid: Promise<number | undefined>;
  /** Lets the driver exit although the lab is up, which ends the lab too. */
  unref(): void;
  /**
   * Ends the lab and waits until nothing is left of it.
   *
   * @throws {Error} If the guard could not remove everything.
   */
  release(): Promise<void>;
}

/**
 * Starts a lab with the pairs of host folder and lab folder in `binds`. The
 * lab's systemd is not ready yet when its PID is known.
 */
export function startGuard(binds: readonly [string, string][]): Guard {
  const child = spawn(
    "unshare",
    ["--mount", "--cgroup", "sh", SCRIPT, ...binds.flat()],
    // Ctrl-C reaches the whole foreground process group, and the guard must
    // outlive it to clean up.
    { detached: true },
  );
  let output = "";
  let closed = false;
  child.stderr.setEncoding("utf8").on("data", (text) => output += text);
  const gone = new Promise<number | null>((resolve) => {
    child.once("error", (cause) => output += String(cause));
    child.once("close", (status) => {
      closed = true;
      resolve(status);
    });
  });
  return {
    get output() {
      // The second is what unshare of util-linux 2.38 says whenever the process in it is killed.
      return output.replaceAll("\r", "").replace(/^unshare: sigprocmask unblock failed.*\n/m, "").trim();
    },
    get closed() {
      return closed;
    },
    pid: firstLine(child).then((line) => Number(line) || undefined),
    unref: () => reference(child, "unref"),
    async release() {
      reference(child, "ref");
      // This is the lifeline that lab_guard.sh reads.
      child.stdin.end();
      const status = await gone;
      if (status === null || status === LEFTOVERS) {
        throw new Error(`Cannot remove the lab: its guard exited with ${status}\n${this.output}`);
      }
    },
  };
}

/** The first line of standard output, or what there is of it at its end. */
function firstLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stdout?.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text);
    }).once("close", () => resolve(text));
  });
}

/** A child holds the event loop by its handle and by each of its pipes. */
function reference(child: ChildProcess, change: "ref" | "unref"): void {
  child[change]();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    (stream as Socket | null)?.[change]();
  }
}
