// What a message to the service manager costs, by each way to send it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { benchFolder, root, runtimes } from "./servers.ts";
import type { Row } from "./table.ts";

const many = 5000;
/** Where each message starts a program. */
const few = 30;

const [deno] = runtimes.Deno;
const allowEnv = "--allow-env=NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID";
const node26 = `${root}test/runtimes/node_modules/node26/bin/node`;

const ways: readonly (readonly [runtime: string, command: readonly string[], count: number])[] = [
  ["Deno", [deno, "run", "-q", allowEnv, "--allow-ffi"], many],
  ["Deno", [deno, "run", "-q", allowEnv, "--unstable-net", "--allow-net", `--allow-write=${benchFolder}`], many],
  ["Deno", [deno, "run", "-q", allowEnv, "--allow-run=systemd-notify"], few],
  ["Bun", runtimes.Bun, many],
  ["Node 24, koffi", runtimes.Node, many],
  ["Node 24", [...runtimes.Node, "--no-addons"], few],
  ["Node 26", [node26, "--disable-warning=ExperimentalWarning"], many],
];

/** The cost of each way. A message waits for its reader where that one is slow, so the reader does nothing but read. */
export async function notifying(): Promise<Row[]> {
  const path = `${benchFolder}/notify.sk`;
  const [node, ...flags] = runtimes.Node;
  const reader = spawn(node, [...flags, `${root}test/bench/servers/read_datagrams.ts`, path], { stdio: "inherit" });
  try {
    for (let tries = 0; !existsSync(path); tries++) {
      if (tries > 500) throw new Error("nobody reads");
      await sleep(10);
    }
    return ways.map(([runtime, [file, ...flags], count]): Row => {
      const args = [...flags, `${root}test/bench/servers/notify.ts`, String(count)];
      const options = { encoding: "utf8", env: { ...process.env, NOTIFY_SOCKET: path } } as const;
      const { transport, firstMs, statusUs, pingUs } = JSON.parse(execFileSync(file, args, options));
      return { runtime, name: transport, figures: [firstMs.toFixed(1), statusUs.toFixed(0), pingUs.toFixed(0)] };
    });
  } finally {
    reader.kill("SIGKILL");
    await once(reader, "close");
  }
}
