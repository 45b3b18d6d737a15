// Type=notify-reload is of systemd 253: `systemctl reload` sends SIGHUP by itself, and waits for RELOADING=1 and the READY=1 after it.
import assert from "node:assert/strict";
import { until } from "../clients.ts";
import { file, greet, prepare, show, start, unit } from "../greeter.ts";
import { eachVariantAbreast, type Stage } from "../variants.ts";
import { get, greeted, keepAlive, someVariants } from "../web.ts";

eachVariantAbreast("daemon", {
  "systemctl reload returns when the new configuration is in use, and drops no client": reload,
  "systemctl reload waits as long as the reload takes": waits,
  "a reload that fails is over, too, and changes nothing": fails,
  "a SIGHUP that systemd did not send is a reload as well": signal,
}, someVariants("daemon"));

/** As a unit is written for it: no ExecReload=. */
async function begin(stage: Stage, service: readonly string[] = []): Promise<void> {
  await prepare(stage, ["Type=notify-reload", "ExecReload=", ...service], "greeting 0");
  await start(stage);
  assert.equal(await show(stage, "Type"), "notify-reload");
}

const reloadUnit = ({ lab }: Stage) => lab.must(["systemctl", "reload", unit], { timeoutMs: 60_000 });

async function reload(stage: Stage): Promise<void> {
  const { path } = stage;
  await begin(stage);
  using agent = keepAlive();
  const { socket } = await get(path, "/", agent);
  const pid = await show(stage, "MainPID");
  for (let i = 1; i <= 4; i++) {
    const slow = greeted(path, "/slow?ms=300");
    await greet(stage, `greeting ${i}`);
    await reloadUnit(stage);
    // At once: this is what Type=notify cannot promise.
    assert.equal((await greeted(path))[0], `greeting ${i}`);
    const answer = await get(path, "/", agent);
    assert.match(answer.body, new RegExp(`^greeting ${i}\n`));
    assert.equal(answer.socket, socket, "it is the connection of the beginning");
    assert.match((await slow)[0], /^greeting/);
  }
  assert.equal(await show(stage, "ActiveState"), "active");
  assert.equal(await show(stage, "MainPID"), pid);
}

async function waits(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  // Reading the greeting blocks the event loop until somebody writes it.
  await begin(stage, ["WatchdogSec=0"]);
  await lab.must(["sh", "-c", `rm ${file} && mkfifo -m 644 ${file}`]);
  let isOver = false;
  const reloading = reloadUnit(stage).then(() => isOver = true);
  await until("it reloads", async () => await show(stage, "ActiveState") === "reloading", 30_000);
  assert.equal(isOver, false);
  await lab.must(["sh", "-c", `echo Moin >${file}`], { timeoutMs: 60_000 });
  await reloading;
  assert.equal(await show(stage, "ActiveState"), "active");
  assert.equal((await greeted(path))[0], "Moin");
}

async function fails(stage: Stage): Promise<void> {
  await begin(stage);
  await greet(stage, "");
  await reloadUnit(stage);
  assert.equal(await show(stage, "ActiveState"), "active");
  const isTold = async () => /Cannot greet: the first line of .* is empty/.test(await show(stage, "StatusText"));
  await until("the status says why", isTold, 30_000);
  assert.equal((await greeted(stage.path))[0], "greeting 0");
  await greet(stage, "greeting 1");
  await reloadUnit(stage);
  assert.equal((await greeted(stage.path))[0], "greeting 1");
}

async function signal(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await begin(stage);
  await greet(stage, "greeting 1");
  await lab.must(["kill", "-HUP", await show(stage, "MainPID")]);
  await until("the new greeting", async () => (await greeted(path))[0] === "greeting 1", 30_000);
  await until("it runs", async () => await show(stage, "SubState") === "running", 30_000);
  // It is not confused.
  await greet(stage, "greeting 2");
  await reloadUnit(stage);
  assert.equal((await greeted(path))[0], "greeting 2");
}
