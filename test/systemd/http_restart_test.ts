import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { until } from "./clients.ts";
import { eachVariant, property, setUp, type Stage } from "./variants.ts";

const RESTARTS = 30;
const PORT = "7080";
/** How many lanes each kind of client has. */
const KINDS = { "new": 4, "keep-alive": 4, "late": 4, "upload": 1, "download": 2 };
const node = "/opt/fd3/test/runtimes/node_modules/node24/bin/node";

eachVariant("http", { "30 restarts under load fail no request": restarts });

interface Load {
  readonly name: string;
  /** How many answers there were. */
  answered(): number;
  stop(): Promise<Result>;
}

interface Result {
  readonly answered: number;
  readonly retried: number;
  readonly failed: number;
  readonly reasons: readonly string[];
}

function startLoad({ lab }: Stage, target: string, kind: keyof typeof KINDS): Load {
  const argv = [node, "/opt/fd3/test/systemd/fixtures/http_load.ts", target, kind, String(KINDS[kind])];
  const child: ChildProcess = lab.spawn(argv, ["pipe", "pipe", "inherit"]);
  let answered = 0;
  let last = "";
  createInterface({ input: child.stdout! }).on("line", (line) => {
    last = line;
    if (line.startsWith("answered ")) answered++;
  });
  return {
    name: `${kind} clients of ${target}`,
    answered: () => answered,
    async stop() {
      child.stdin!.end();
      await once(child, "close");
      return JSON.parse(last);
    },
  };
}

async function restarts(stage: Stage): Promise<void> {
  const { lab } = stage;
  const limits = ["TriggerLimitIntervalSec=0"];
  await setUp(stage, {
    script: "test/systemd/fixtures/http_two.ts",
    socket: ["ListenStream=", `ListenStream=127.0.0.1:${PORT}`, "FileDescriptorName=tcp"],
  });
  const unix = ["[Socket]", "ListenStream=/run/http.sk", "Service=http.service", "FileDescriptorName=unix", ...limits];
  lab.writeUnit("http-unix.socket", unix.join("\n"));
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", "http-unix.socket"]);
  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];
  const loads = [PORT, "/run/http.sk"].flatMap((target) => kinds.map((kind) => startLoad(stage, target, kind)));
  await until("each kind of client is served", () => loads.every((load) => load.answered() > 0), 60_000);
  const answered = () => loads.reduce((sum, load) => sum + load.answered(), 0);
  for (let i = 0; i < RESTARTS; i++) {
    const old = await property(stage, "http.service", "MainPID");
    await lab.must(["systemctl", "restart", "http.service"], { timeoutMs: 60_000 });
    assert.notEqual(await property(stage, "http.service", "MainPID"), old);
    // One that SIGTERM finds before it listens has nothing to lose.
    const served = answered();
    await until(`instance ${i} answers`, () => answered() >= served + 20, 60_000);
  }
  const results = await Promise.all(loads.map(async (load) => [load.name, await load.stop()] as const));
  for (const [name, { answered, retried, failed, reasons }] of results) {
    console.log(`${stage.variant.name}, ${name}: ${answered} answered, ${retried} asked again`);
    assert.equal(failed, 0, `${name}: ${failed} of ${answered + failed} failed: ${reasons.join("; ")}`);
  }
}
