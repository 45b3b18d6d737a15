// What a descriptor costs where many are passed at once.
import { spawnSync } from "node:child_process";
import { activationShell, holdSocket, root, runtimes } from "./servers.ts";
import type { Row } from "./table.ts";

const counts = [10, 100, 1000];

interface Told {
  readonly readUs: number;
  readonly adoptUs: number;
  readonly residentKiB: number;
}

function measure(command: readonly string[], fds: readonly number[]): Told {
  const names = fds.map((_, i) => `s${i}`).join(":");
  const shell = `ulimit -n 8192; export LISTEN_FDNAMES=${names}; ${activationShell(fds.length)}`;
  const args = ["-c", shell, "sh", ...command, `${root}test/bench/servers/many.ts`];
  const { stdout, status } = spawnSync("/bin/sh", args, {
    stdio: ["ignore", "pipe", "inherit", ...fds],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`exit status ${status} with ${fds.length} descriptors`);
  return JSON.parse(stdout);
}

/** For each runtime and number of descriptors: microseconds of `listenFds()` and of `listen()` for each, and their memory. */
export function many(): Row[] {
  const held = Array.from({ length: Math.max(...counts) }, holdSocket);
  const rows = Object.entries(runtimes).flatMap(([runtime, command]) => {
    const { residentKiB: base } = measure(command, [held[0].fd]);
    return counts.map((count): Row => {
      const { readUs, adoptUs, residentKiB } = measure(command, held.slice(0, count).map(({ fd }) => fd));
      const kib = Math.max(0, residentKiB - base) / count;
      const figures = [(readUs / count).toFixed(1), (adoptUs / count).toFixed(0), kib.toFixed(0)];
      return { runtime, name: String(count), figures };
    });
  });
  for (const { close } of held) close();
  return rows;
}
