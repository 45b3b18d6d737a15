import assert from "node:assert/strict";
import { until } from "./clients.ts";
import { eachVariantAbreast, execStart, property, type Setup, setUp, type Stage } from "./variants.ts";
import { get, someVariants } from "./web.ts";

eachVariantAbreast("durable", {
  "the unit files pass systemd-analyze verify": verify,
  "the counter of the service as shipped goes on after a restart": shipped,
  "the counter goes on after restarts and crashes under load, and no number comes twice": crashes,
  "what another version has stored is dropped": dropped,
  "a stop ends the counter": stopped,
}, someVariants("durable"));

const unit = "durable.service";
const show = (stage: Stage, name: string) => property(stage, unit, name);

async function prepare(stage: Stage, { script, service = [] }: Setup = {}): Promise<void> {
  await stage.lab.must(["systemctl", "stop", "durable.socket", unit]);
  const socket = ["ListenStream=", "ListenStream=/run/durable.sk"];
  await setUp(stage, { script, socket, service: ["RestartSec=0", ...service] });
}

async function next({ path }: Stage): Promise<number> {
  const { status, body } = await get(path);
  assert.equal(status, 200);
  assert.match(body, /^\d+\n$/);
  return Number(body);
}

async function verify({ lab }: Stage): Promise<void> {
  const result = await lab.run(["systemd-analyze", "verify", "durable.socket", unit]);
  assert.deepEqual(result, { status: 0, stdout: "", stderr: "" });
}

async function shipped(stage: Stage): Promise<void> {
  const { lab } = stage;
  await lab.must(["systemctl", "start", "durable.socket"]);
  const curl = ["curl", "--silent", "--show-error", "--max-time", "60", "http://127.0.0.1:8081/"];
  assert.equal(await lab.must(curl), "1\n");
  assert.equal(await lab.must(curl), "2\n");
  await lab.must(["systemctl", "restart", unit], { timeoutMs: 60_000 });
  assert.equal(await lab.must(curl), "3\n");
  assert.equal(await show(stage, "NFileDescriptorStore"), "1");
  assert.equal(await show(stage, "StatusText"), "2 when it started");
  const pid = await show(stage, "MainPID");
  assert.match(await lab.must(["sh", "-c", `ls -l /proc/${pid}/fd`]), /-> \/memfd:counter/);
}

/** Asks over and over until it is told to stop; gives the numbers that were answered, in order. */
function startAsking(stage: Stage): { readonly numbers: number[]; stop(): Promise<void> } {
  const numbers: number[] = [];
  let isOver = false;
  const done = (async () => {
    // What the daemon has accepted dies with it.
    while (!isOver) await next(stage).then((number) => numbers.push(number), () => {});
  })();
  return {
    numbers,
    async stop() {
      isOver = true;
      await done;
    },
  };
}

async function crashes(stage: Stage): Promise<void> {
  const { lab } = stage;
  await prepare(stage);
  const asking = startAsking(stage);
  const more = () => {
    const goal = asking.numbers.length + 5;
    return until("five more", () => asking.numbers.length >= goal, 60_000);
  };
  await more();
  for (let i = 0; i < 6; i++) {
    const pid = await show(stage, "MainPID");
    if (i % 2 === 0) await lab.must(["kill", "-KILL", pid]);
    else await lab.must(["systemctl", "restart", unit], { timeoutMs: 60_000 });
    await until("there is another", async () => !["0", pid].includes(await show(stage, "MainPID")), 60_000);
    await more();
  }
  await asking.stop();
  const { numbers } = asking;
  const lost = numbers.filter((number, i) => i > 0 && number !== numbers[i - 1] + 1).length;
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  // One that was counted, and not answered, at each crash.
  assert.ok(lost <= 3, `${lost} gaps in ${numbers.join(" ")}`);
  assert.ok(numbers.at(-1)! - numbers[0] <= numbers.length - 1 + 3);
  assert.equal(
    (await lab.journal(unit)).match(/^durable\.service: Main process exited, code=killed, status=9\/KILL$/mg)?.length,
    3,
  );
  assert.equal(await show(stage, "NFileDescriptorStore"), "1");
}

async function dropped(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  const size = () => show(stage, "NFileDescriptorStore");
  await prepare(stage, { script: "test/systemd/fixtures/durable_old.ts", service: ["FileDescriptorStoreMax=8"] });
  assert.equal((await get(path)).body, "old\n");
  await until("it has stored two", async () => await size() === "2");
  const exec = await execStart(stage, "examples/durable.ts");
  lab.writeUnit("durable.service.d/upgrade.conf", ["[Service]", "ExecStart=", exec, ""].join("\n"));
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "restart", unit], { timeoutMs: 60_000 });
  assert.equal(await next(stage), 1);
  await until("only the counter is stored", async () => await size() === "1");
  await lab.must(["systemctl", "restart", unit], { timeoutMs: 60_000 });
  assert.equal(await next(stage), 2);
  await lab.must(["rm", "/etc/systemd/system/durable.service.d/upgrade.conf"]);
}

async function stopped(stage: Stage): Promise<void> {
  const { lab } = stage;
  await prepare(stage);
  assert.equal(await next(stage), 1);
  await lab.must(["systemctl", "stop", unit], { timeoutMs: 60_000 });
  assert.equal(await next(stage), 1);
}
