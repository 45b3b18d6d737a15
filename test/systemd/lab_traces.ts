/**
 * What a lab leaves on its host while it is up, for tests that nothing stays.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `check` is true, for at most 5 seconds. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `still false after 5 s: ${check}`);
    await sleep(10);
  }
}

/** The name of the cgroup of the lab whose PID 1 is `pid`. */
export function cgroupOf(pid: number): string {
  const name = readFileSync(`/proc/${pid}/cgroup`, "utf8").match(/^0::.*\/(fd3-lab-\w+)\//m)?.[1];
  assert.ok(name, "the lab has a cgroup of its own");
  return name;
}

/** The cgroups (and files) below this process's own cgroup, wherever the host mounts them, if at all. */
export function cgroups(): string[] {
  const script = "mount -t cgroup2 none /sys && ls /sys";
  const { stdout } = spawnSync("unshare", ["--mount", "--cgroup", "sh", "-c", script], { encoding: "utf8" });
  assert.match(stdout, /^cgroup\.procs$/m);
  return stdout.split("\n");
}

/** All descendants of a process, this one by default. A lab's guard is one, and what the guard starts. */
export function descendants(ancestor: number = process.pid): number[] {
  const own = processes().filter((pid) => parentOf(pid) === ancestor);
  return own.flatMap((pid) => [pid, ...descendants(pid)]);
}

/** The processes in a PID namespace, given as the link in /proc/<pid>/ns reads. */
export function inPidNamespace(namespace: string): number[] {
  return processes().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`) === namespace;
    } catch {
      return false; // gone since the list was read, or a zombie
    }
  });
}

function processes(): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
}

/** See proc_pid_stat(5): the name before the state and the parent may have spaces and parentheses. */
function parentOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")[1]);
  } catch {
    return undefined;
  }
}
