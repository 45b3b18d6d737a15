import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { until } from "./clients.ts";
import { eachVariant, property, type Stage } from "./variants.ts";

/** With every server; the variants that have few of them differ less. */
const [RESTARTS, FEW_RESTARTS] = [30, 8];
const firstPort = 7100;
const servers = "/opt/fd3/test/systemd/fixtures/servers.ts";
const clientsProgram = "/opt/fd3/test/systemd/fixtures/http_load.ts";
const node = "/opt/fd3/test/runtimes/node_modules/node24/bin/node";

/** What each server is asked. */
const clients = ["new", "keep-alive", "late", "upload", "download", "chunks"];
/** The servers of fixtures/servers.ts. */
const all = ["serve", "native", "http", "https", "express", "fastify", "koa", "h3", "ws"];
/** The rest serves as it does with another way to call libc, or with another version. */
const few = ["serve", "http"];

eachVariant("http", { "restarts under load lose no request of any server": restarts });

interface Lane {
  readonly name: string;
  readonly target: string;
  readonly tls: boolean;
  readonly kind: string;
}

interface Result {
  readonly name: string;
  readonly answered: number;
  readonly retried: number;
  readonly failed: number;
  readonly reasons: readonly string[];
}

interface Load {
  /** How many answers the lane has that has fewest, and all. */
  least(): number;
  all(): number;
  stop(): Promise<readonly Result[]>;
}

/** How a variant starts a program. */
function command({ variant: { name, ffi, runtime, program } }: Stage): string {
  if (runtime === "deno") {
    const others = "--allow-env --allow-net --allow-read --allow-write --allow-sys --allow-run";
    return `${program} run --no-check --no-prompt ${ffi ? "-A" : others}`;
  }
  return name === "Node 20" || name === "Node 22" ? `${program} --import tsx` : program;
}

/** Which servers a variant has. */
function kindsOf({ variant: { runtime, name } }: Stage): readonly string[] {
  if (!["Deno", "Bun", "Node 24"].includes(name)) return few;
  return runtime === "node" ? all.filter((kind) => kind !== "native") : all;
}

/** Writes the socket units, and gives the lanes of clients. */
function writeSockets({ lab }: Stage, kinds: readonly string[]): { units: readonly string[]; lanes: readonly Lane[] } {
  const units: string[] = [];
  const lanes: Lane[] = [];
  kinds.forEach((kind, i) => {
    for (const transport of ["tcp", "unix"]) {
      const name = `${kind}-${transport}`;
      const target = transport === "tcp" ? String(firstPort + i) : `/run/${name}.sk`;
      const address = transport === "tcp" ? `127.0.0.1:${target}` : target;
      const lines = [`ListenStream=${address}`, `FileDescriptorName=${name}`, "Service=servers.service"];
      lab.writeUnit(`${name}.socket`, ["[Socket]", ...lines, "TriggerLimitIntervalSec=0", ""].join("\n"));
      units.push(`${name}.socket`);
      const asked = kind === "ws" ? [...clients.slice(0, 2), "web-socket"] : clients;
      for (const one of asked) lanes.push({ name: `${name} ${one}`, target, tls: kind === "https", kind: one });
    }
  });
  return { units, lanes };
}

function startLoad({ lab }: Stage, lanes: readonly Lane[]): Load {
  const child: ChildProcess = lab.spawn([node, clientsProgram, JSON.stringify(lanes)], [
    "pipe",
    "pipe",
    "inherit",
  ]);
  let last = "0 0";
  createInterface({ input: child.stdout! }).on("line", (line) => last = line);
  return {
    least: () => Number(last.split(" ")[0]),
    all: () => Number(last.split(" ")[1]),
    async stop() {
      child.stdin!.end();
      await once(child, "close");
      return JSON.parse(last);
    },
  };
}

/** Writes the service and its sockets, and starts those. Gives the lanes of clients. */
async function setUp(stage: Stage): Promise<readonly Lane[]> {
  const { lab } = stage;
  const key = "/opt/fd3-key.pem";
  execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-keyout", `${lab.root}${key}`, "-out", `${lab.root}${key}.crt`],
  ], { stdio: "ignore" });
  const { units, lanes } = writeSockets(stage, kindsOf(stage));
  // It is about requests, and not about rights.
  lab.writeUnit(
    "servers.service",
    [
      ...[
        "[Unit]",
        "StartLimitIntervalSec=0",
        "[Service]",
        "Type=notify",
        "NotifyAccess=all",
        "Environment=HOME=/root",
      ],
      // Node looks there for tsx.
      "WorkingDirectory=/opt/fd3",
      ...units.map((unit) => `Sockets=${unit}`),
      `ExecStart=${command(stage)} ${servers} ${key} ${key}.crt`,
      "",
    ].join("\n"),
  );
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", ...units]);
  return lanes;
}

async function restarts(stage: Stage): Promise<void> {
  const { lab } = stage;
  const lanes = await setUp(stage);
  const load = startLoad(stage, lanes);
  await until("each client is served", () => load.least() > 0, 60_000);
  const count = kindsOf(stage) === few ? FEW_RESTARTS : RESTARTS;
  for (let i = 0; i < count; i++) {
    const old = await property(stage, "servers.service", "MainPID");
    await lab.must(["systemctl", "restart", "servers.service"], { timeoutMs: 60_000 });
    assert.notEqual(await property(stage, "servers.service", "MainPID"), old);
    // One that SIGTERM finds before it serves has nothing to lose.
    const served = load.all();
    await until(`instance ${i} answers`, () => load.all() >= served + lanes.length, 60_000);
  }
  const results = await load.stop();
  const lost = results.filter(({ failed, answered }) => failed > 0 || answered === 0);
  const sum = (key: "answered" | "retried") => results.reduce((total, result) => total + result[key], 0);
  console.log(
    `${stage.variant.name}: ${lanes.length} clients, ${sum("answered")} answered, ${sum("retried")} asked again`,
  );
  assert.deepEqual(lost, [], await lab.journal("servers.service"));
}
