import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { until } from "./clients.ts";
import { eachVariant, property, type Stage, variantsOf } from "./variants.ts";

const service = "/opt/fd3/test/systemd/fixtures/streams.ts";
const clients = "/opt/fd3/test/systemd/fixtures/streams_load.ts";
const node = "/opt/fd3/test/runtimes/node_modules/node24/bin/node";
const [EVENTS, POLITE, SOCKETS] = [400, 100, 500];
const ALL = EVENTS + POLITE + SOCKETS;
/** `streamTimeout` and a second for the rest is what it takes; other suites may keep the machine busy. Without that limit it is 30 s. */
const longestMs = 15_000;

const variants = variantsOf("http").filter(({ name }) => ["Deno", "Bun", "Node 24"].includes(name));
eachVariant("http", {
  "a restart with 1,000 streams and WebSockets takes no longer than streams are given, and all are back": restart,
}, variants);

interface State {
  readonly byPid: Readonly<Record<string, number>>;
  readonly unclean: number;
  readonly complete: number;
  readonly faults: readonly string[];
}

async function setUp({ lab, variant: { runtime, program } }: Stage): Promise<void> {
  const socket = (name: string, port: number) =>
    `[Socket]\nListenStream=127.0.0.1:${port}\nFileDescriptorName=${name}\nService=streams.service\nBacklog=4096\n`;
  lab.writeUnit("events.socket", socket("events", 7200));
  lab.writeUnit("chat.socket", socket("chat", 7201));
  const command = runtime === "deno" ? `${program} run -A --no-check` : program;
  lab.writeUnit(
    "streams.service",
    [
      ...["[Service]", "Type=notify", "NotifyAccess=all", "Environment=HOME=/root", "LimitNOFILE=4096"],
      ...["Sockets=events.socket", "Sockets=chat.socket", `ExecStart=${command} ${service}`, ""],
    ].join("\n"),
  );
  await lab.must(["systemctl", "daemon-reload"]);
  // The queue is cut to it.
  await lab.run(["sysctl", "-w", "net.core.somaxconn=4096"]);
  await lab.must(["systemctl", "start", "events.socket", "chat.socket"]);
}

/** The journal names what was open, of each server. */
function assertTold(journal: string): void {
  const events = `${EVENTS} responses open for [56] s: GET /events \\(${EVENTS}\\)`;
  const [chat, ws] = ["/chat", "/"].map((path) =>
    `${SOCKETS / 2} WebSockets open for [56] s: GET ${path} \\(${SOCKETS / 2}\\)`
  );
  assert.match(journal, new RegExp(`fd3: stopping: ${events}; ${chat}$`, "m"));
  assert.match(journal, new RegExp(`fd3: stopping: ${ws}$`, "m"));
}

async function restart(stage: Stage): Promise<void> {
  const { lab } = stage;
  await setUp(stage);
  const counts = [EVENTS, POLITE, SOCKETS].map(String);
  const child = lab.spawn([node, clients, ...counts], ["pipe", "pipe", "inherit"]);
  let state: State = { byPid: {}, unclean: 0, complete: 0, faults: [] };
  createInterface({ input: child.stdout! }).on("line", (line) => state = JSON.parse(line));
  const pid = () => property(stage, "streams.service", "MainPID");
  try {
    await until("the service runs", async () => await pid() !== "0", 60_000);
    const old = await pid();
    const all = (pid: string) => until(`all have heard from ${pid}`, () => state.byPid[pid] === ALL, 60_000);
    await all(old);
    const begin = performance.now();
    const restarted = lab.must(["systemctl", "restart", "streams.service"], { timeoutMs: 60_000 });
    await until("it stops", async () => await property(stage, "streams.service", "ActiveState") === "deactivating");
    const curl = ["curl", "--silent", "--show-error", "--max-time", "20", "http://127.0.0.1:7200/pid"];
    const asked = lab.must(curl);
    await until("it has ended", async () => await pid() !== old, 60_000);
    const stopMs = performance.now() - begin;
    await restarted;
    const next = await pid();
    assert.equal(await asked, next);
    await all(next);
    console.log(
      `${stage.variant.name}: stopped within ${Math.round(stopMs)} ms, all back within ${
        Math.round(performance.now() - begin)
      } ms`,
    );
    assert.ok(stopMs < longestMs, `it took ${stopMs} ms to stop`);
    assert.deepEqual(state, { byPid: { [next]: ALL }, unclean: EVENTS, complete: POLITE, faults: [] });
    assertTold(await lab.journal("streams.service"));
  } finally {
    child.stdin!.end();
    await once(child, "close");
    await lab.run(["systemctl", "stop", "streams.service", "events.socket", "chat.socket"]);
  }
}
