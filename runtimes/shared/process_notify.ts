import type { LibcMissing } from "../../src/host.ts";
import { messageLibcs, type NotifyHost, type NotifyParts } from "../../src/notify/host.ts";
import { builtin } from "./common.ts";
import { processGlobal } from "./process_host.ts";

/** `node:child_process`. */
interface ChildProcessModule {
  execFile(
    file: string,
    args: readonly string[],
    options: object,
    callback: (error: { code?: unknown } | null, stdout: string, stderr: string) => void,
  ): unknown;
}

function run(args: readonly string[], env: object): Promise<{ status: number; stderr: string }> {
  const { execFile } = builtin<ChildProcessModule>("node:child_process");
  const options = { env: { ...processGlobal().env, ...env }, encoding: "utf8" };
  return new Promise((resolve, reject) => {
    execFile("systemd-notify", args, options, (error, _stdout, stderr) => {
      // A name where it did not start, a number where it ended so.
      if (typeof error?.code === "string") return reject(error);
      resolve({ status: error === null ? 0 : Number(error.code ?? 1), stderr });
    });
  });
}

/** What systemctl(1) says of our own unit, `undefined` where it says nothing. */
function notifyAccess(): Promise<string | undefined> {
  const text = builtin<{ readFileSync(path: string, encoding: "utf8"): string }>("node:fs")
    .readFileSync("/proc/self/cgroup", "utf8");
  const [unit] = /[^/\n]+\.service(?=(\/[^/\n]*)?$)/m.exec(text) ?? [];
  if (unit === undefined) return Promise.resolve(undefined);
  const { execFile } = builtin<ChildProcessModule>("node:child_process");
  const args = [...text.includes("/user@") ? ["--user"] : [], "show", "--value", "--property=NotifyAccess", unit];
  return new Promise((resolve) => {
    execFile("systemctl", args, { encoding: "utf8" }, (error, stdout) => resolve(error ? undefined : stdout.trim()));
  });
}

async function isHeard(): Promise<boolean | undefined> {
  if (processGlobal().geteuid() === 0) return true;
  try {
    const access = await notifyAccess();
    return access === undefined || access === "" ? undefined : access === "all";
  } catch {
    return undefined;
  }
}

/** In hundredths of a second, cut off: the next hundredth is not earlier. */
function uptime(): number | LibcMissing {
  try {
    const text = builtin<{ readFileSync(path: string, encoding: "utf8"): string }>("node:fs")
      .readFileSync("/proc/uptime", "utf8");
    return Number.parseFloat(text) + 0.01;
  } catch {
    return { missing: "/proc/uptime cannot be read" };
  }
}

/** Node or Bun as the service manager's protocol sees it. */
export function processNotify(parts: NotifyParts): NotifyHost {
  const { host, service } = parts;
  return {
    ...service,
    ...host,
    ...messageLibcs(parts),
    uptime,
    datagram: () => ({ missing: `${host.runtime} sends no Unix datagrams by itself` }),
    systemdNotify: () => ({ run, isHeard }),
    closeFd: (fd) => builtin<{ closeSync(fd: number): void }>("node:fs").closeSync(fd),
    now: () => performance.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, ms) as unknown as { unref(): void };
      timer.unref();
      return () => clearTimeout(timer as unknown as number);
    },
  };
}
