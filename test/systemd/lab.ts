/**
 * A lab: a real systemd as PID 1 of fresh namespaces, booted in a fraction of a
 * second, with nothing of the host at risk.
 *
 * Its root is an overlay over the host's, so the host's programs are there
 * (systemctl, journalctl, socat, strace, ss), or over that of another system,
 * which the variable FD3_LAB_ROOT names. Whatever it writes is gone at the end.
 * It has its own processes, mounts, cgroups, host name and IPC, and a network
 * with nothing but loopback: ports may be fixed. Besides it only journald runs,
 * and D-Bus where it is installed, from the first use on (systemd-run needs
 * it). `DynamicUser=`, `PrivateNetwork=`, `Type=notify`, `WatchdogSec=` and the
 * other sandbox settings work as on any machine.
 *
 * Needs root, cgroup v2 in the kernel, systemd and util-linux. Folders that are
 * mount points of their own on the host are empty in the lab unless bound.
 */

import type { ChildProcess, StdioOptions } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Guard, startGuard } from "./lab_guard.ts";
import { enter, exited, failure, run, type RunOptions, type RunResult } from "./lab_process.ts";

export type { RunOptions, RunResult } from "./lab_process.ts";

/** A running systemd of its own. */
export interface Lab extends AsyncDisposable {
  /** Its PID 1, as the host sees it. */
  readonly pid: number;
  /**
   * Its root folder, as the host sees it. Absolute symbolic links in it lead
   * to the host's files.
   */
  readonly root: string;
  /**
   * Runs a command to its end, as root, in `/`, in a small environment.
   *
   * @throws {Error} If the command is not through in time (it is killed then,
   * and the message has its output so far).
   */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /**
   * Like {@linkcode Lab.run}, for a command that must succeed.
   *
   * @throws {Error} If the exit status is not 0.
   * @returns What the command wrote to standard output.
   */
  must(argv: readonly string[], options?: RunOptions): Promise<string>;
  /**
   * Starts a command. The child's `kill()` signals the command and its exit
   * status is the command's, but its `pid` is that of the nsenter around it.
   */
  spawn(argv: readonly string[], stdio?: StdioOptions): ChildProcess;
  /** Writes a file below `/etc/systemd/system`. Run `daemon-reload` after. */
  writeUnit(name: string, text: string): void;
  /**
   * What a unit wrote to standard output and standard error until now, and
   * what systemd said about it. `unit` may be a pattern: `echo@*`.
   */
  journal(unit: string): Promise<string>;
  /**
   * Kills everything in the lab, and waits until no process, mount or cgroup
   * of it is left.
   */
  stop(): Promise<void>;
}

/** How to boot a lab. */
export interface BootOptions {
  /**
   * Folders of the host by path, and where the lab sees them, read-only.
   * A `DynamicUser=` reaches them below `/opt`, say, also if it could not reach
   * them where they are on the host.
   */
  binds?: Record<string, string>;
}

const BOOT_TIMEOUT_MS = 20_000;

/**
 * Boots a lab. It ends with {@linkcode Lab.stop}, or with the driver, however
 * that ends.
 *
 * @throws {Error} If systemd does not come up, or a unit of it fails. The
 * message has the failed units, the journal and the console.
 */
export async function boot({ binds = {} }: BootOptions = {}): Promise<Lab> {
  for (const [host, inLab] of Object.entries(binds)) checkBind(host, inLab);
  const guard = startGuard(Object.entries(binds));
  try {
    const pid = await guard.pid;
    if (pid === undefined) {
      throw new Error("Cannot boot a lab: its root could not be set up");
    }
    await untilRunning(guard, pid);
    guard.unref();
    return createLab(guard, pid);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // The console is known only after the release.
    const leftover = await guard.release().catch(String);
    throw new Error(`${reason}\n--- console\n${leftover ?? guard.output}`, { cause });
  }
}

function createLab(guard: Guard, pid: number): Lab {
  const root = `/proc/${pid}/root`;
  const spawned = new Set<ChildProcess>();
  let stopped: Promise<void> | undefined;
  const lab: Lab = {
    pid,
    root,
    run: (argv, options) => run(pid, argv, options),
    must: (argv, options) => must(pid, argv, options),
    spawn(argv, stdio) {
      const child = enter(pid, argv, stdio);
      spawned.add(child);
      return child;
    },
    writeUnit(name, text) {
      const path = join(root, "etc/systemd/system", name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    },
    async journal(unit) {
      // journald may still have the last lines in its sockets.
      await must(pid, ["journalctl", "--sync"]);
      return must(pid, [...JOURNAL, "--output=cat", ...matches(unit)]);
    },
    stop: () => stopped ??= stop(guard, spawned),
    [Symbol.asyncDispose]: () => lab.stop(),
  };
  return lab;
}

const JOURNAL = ["journalctl", "--quiet", "--no-pager"];

/**
 * `--unit` misses why a program could not be started: that is written by the process that fails, and journald finds its
 * unit only if it looks before the process is gone. The field UNIT= is always there.
 */
function matches(unit: string): string[] {
  if (/[*?[]/.test(unit)) return ["--unit", unit];
  const name = unit.includes(".") ? unit : `${unit}.service`;
  return [`_SYSTEMD_UNIT=${name}`, "+", `UNIT=${name}`];
}

async function must(
  pid: number,
  argv: readonly string[],
  options?: RunOptions,
): Promise<string> {
  const result = await run(pid, argv, options);
  if (result.status !== 0) {
    throw failure(argv, `its exit status is ${result.status}`, result);
  }
  return result.stdout;
}

async function stop(guard: Guard, spawned: Set<ChildProcess>): Promise<void> {
  await guard.release();
  // The commands died with the lab, and each nsenter exits right after.
  await Promise.all([...spawned].map(exited));
}

/**
 * Waits until systemd has started everything that belongs to the boot.
 *
 * @throws {Error} If it dies, takes too long or has failed units.
 */
async function untilRunning(guard: Guard, pid: number): Promise<void> {
  const deadline = Date.now() + BOOT_TIMEOUT_MS;
  const socket = `/proc/${pid}/root/run/systemd/private`;
  let state = "not started";
  while (Date.now() < deadline && !guard.closed) {
    if (existsSync(socket)) {
      state = await systemState(pid, deadline - Date.now());
      if (state === "running") return;
      if (["degraded", "maintenance", "stopping"].includes(state)) break;
    }
    await sleep(5);
  }
  if (guard.closed) throw new Error("Cannot boot a lab: its systemd exited");
  throw new Error(
    `Cannot boot a lab: its systemd is ${state}\n${await diagnose(pid)}`,
  );
}

/** Waits for the end of the boot, as far as systemd can be asked already. */
async function systemState(pid: number, timeoutMs: number): Promise<string> {
  const argv = ["systemctl", "is-system-running", "--wait"];
  try {
    return (await run(pid, argv, { timeoutMs })).stdout.trim();
  } catch {
    return "starting";
  }
}

async function diagnose(pid: number): Promise<string> {
  await run(pid, ["journalctl", "--sync"], { timeoutMs: 5_000 }).catch(() => {});
  const questions = [
    ["systemctl", "--failed", "--plain", "--no-legend"],
    ["systemctl", "list-jobs", "--plain", "--no-legend"],
    [...JOURNAL, "--lines=100"],
  ];
  const answers = questions.map(async (argv) => {
    const { stdout, stderr } = await run(pid, argv, { timeoutMs: 5_000 });
    return `--- ${argv.join(" ")}\n${stdout}${stderr}`;
  });
  const settled = await Promise.allSettled(answers);
  return settled.map((answer) => answer.status === "fulfilled" ? answer.value : String(answer.reason)).join("\n");
}

/**
 * What a bind would otherwise make fail later, and less clearly.
 *
 * @throws {TypeError} If the folders cannot be bound.
 */
function checkBind(host: string, inLab: string): void {
  const refusal = (reason: string) => new TypeError(`Cannot bind ${host} to ${inLab}: ${reason}`);
  if (!isAbsolute(host) || !isAbsolute(inLab)) throw refusal("both must be absolute paths");
  const stats = statSync(host, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) throw refusal("no such folder on the host");
  // The mount point takes its mode from the host's folder.
  if ((stats.mode & 0o005) !== 0o005) {
    throw refusal(`its mode ${(stats.mode & 0o777).toString(8)} keeps other users out`);
  }
}
