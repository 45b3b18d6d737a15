import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { until } from "./clients.ts";
import { writeCopy } from "./copies.ts";
import { boot, type Lab } from "./lab.ts";
import { serviceText } from "./variants.ts";
import { get, someVariants } from "./web.ts";

const SERVICES = 20;
const variants = someVariants("daemon");
const numbers = Array.from({ length: SERVICES }, (_, i) => i);
const nameOf = (i: number) => `mesh${i % SERVICES}`;
const pathOf = (i: number) => `/run/${nameOf(i)}.sk`;
/** Each needs the next, so that all hang together, and two far away: it goes round in circles. */
const peersOf = (i: number) => [i + 1, i + 7, i + 12];
const units = (type: "socket" | "service") => numbers.map((i) => `${nameOf(i)}.${type}`);
const project = new URL("../..", import.meta.url).pathname;

suite("20 services of all runtimes that need each other", () => {
  let lab: Lab;
  before(async () => {
    lab = await boot({ binds: { [project]: "/opt/fd3" } });
    for (const i of numbers) writeMember(lab, i);
    await lab.must(["systemctl", "daemon-reload"]);
    await lab.must(["systemctl", "start", ...units("socket")]);
  });
  after(() => lab.stop());

  test("start all at once in any order, with their clients", async () => {
    const order = shuffled(units("service"));
    const clients = [...numbers, ...numbers].map(async (i) => {
      const { status, body } = await get(lab.root + pathOf(i), "/", false, 120_000);
      assert.deepEqual([status, body], [200, nameOf(i)], `started in the order ${order}`);
    });
    await lab.must(["systemctl", "start", ...order], { timeoutMs: 120_000 });
    await Promise.all(clients);
    await allReady(lab);
  });

  test("start when somebody connects to one of them", async () => {
    await lab.must(["systemctl", "stop", ...units("socket"), ...units("service")], { timeoutMs: 120_000 });
    await lab.must(["systemctl", "start", ...units("socket")]);
    assert.deepEqual(await shown(lab, "ActiveState"), numbers.map(() => "inactive"));
    const last = SERVICES - 1;
    const { body } = await get(lab.root + pathOf(last), "/", false, 120_000);
    assert.equal(body, nameOf(last));
    await allReady(lab);
  });
});

function writeMember(lab: Lab, i: number): void {
  const variant = variants[i % variants.length];
  const [shipped] = /^ExecStart=.*$/m.exec(serviceText({ service: "daemon", variant }))!;
  const exec = shipped
    .replace(`ExecStart=${variant.program} `, `ExecStart=${variant.executable} `)
    .replace("--allow-read=/etc/daemon", "--allow-net --allow-read=/run --allow-write=/run")
    .replace("examples/daemon.ts", ["test/systemd/fixtures/mesh.ts", nameOf(i), ...peersOf(i).map(pathOf)].join(" "));
  writeCopy(lab, {
    variant,
    name: nameOf(i),
    address: pathOf(i),
    service: ["ExecStart=", exec],
  });
}

function shuffled(list: readonly string[]): string[] {
  return list.map((item) => ({ item, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/** A property of each service. */
async function shown(lab: Lab, name: string): Promise<string[]> {
  const text = await lab.must(["systemctl", "show", "--value", `--property=${name}`, ...units("service")]);
  return text.trim().split("\n\n");
}

async function allReady(lab: Lab): Promise<void> {
  const areActive = async () => (await shown(lab, "ActiveState")).every((state) => state === "active");
  await until("all are ready", areActive, 120_000);
  const expected = numbers.map((i) => `knows ${peersOf(i).map(nameOf).join(" ")}`);
  await until("all know their peers", async () => String(await shown(lab, "StatusText")) === String(expected), 30_000);
  assert.deepEqual(await shown(lab, "NRestarts"), numbers.map(() => "0"));
}
