import { hasLibc, type Host } from "../../src/host.ts";
import { lazy } from "../../src/lazy.ts";
import type { LibcOf } from "../../src/linux/libc.ts";
import type { LibcMissing } from "../../src/host.ts";
import { messageSignatures, type NotifyHost } from "../../src/notify/host.ts";
import { builtin } from "./builtin.ts";
import { processGlobal } from "./process_host.ts";
import { processService } from "./process_service.ts";

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

/**
 * Node or Bun as the service manager's protocol sees it.
 *
 * @param host The runtime.
 * @param open Opens more functions of libc.
 */
export function processNotify(
  host: Host,
  open: (signatures: typeof messageSignatures) => LibcOf<typeof messageSignatures> | LibcMissing,
): NotifyHost {
  return {
    ...processService,
    ...host,
    messageLibc: lazy(() => {
      const base = host.libc();
      return hasLibc(base) ? open(messageSignatures) : base;
    }),
    uptime,
    datagram: () => ({ missing: `${host.runtime} sends no Unix datagrams by itself` }),
    systemdNotify: () => ({ run }),
    closeFd: (fd) => builtin<{ closeSync(fd: number): void }>("node:fs").closeSync(fd),
    now: () => performance.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, ms) as unknown as { unref(): void };
      timer.unref();
      return () => clearTimeout(timer as unknown as number);
    },
  };
}
