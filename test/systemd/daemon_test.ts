import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "./clients.ts";
import { file, greet, prepare, show, start, unit } from "./greeter.ts";
import { eachVariantAbreast, type Stage } from "./variants.ts";
import { get, greeted, keepAlive, someVariants } from "./web.ts";

eachVariantAbreast("daemon", {
  "the unit files pass systemd-analyze verify": verify,
  "the first request starts the service as shipped": shipped,
  "systemctl start returns when the service has its configuration and serves": ready,
  "the status is how many requests there were, also of a user that is not root": status,
  "a reload changes the answer and drops nobody, and one that fails changes nothing": reload,
  "a blocked event loop and a failed health check are killed by the watchdog, and started again": watchdog,
  "stopping outlives TimeoutStopSec= until a slow request has its whole answer": drain,
  "a slow request longer than the drain timeout ends with the service": drainTimeout,
}, someVariants("daemon"));

async function verify({ lab }: Stage): Promise<void> {
  const result = await lab.run(["systemd-analyze", "verify", "daemon.socket", unit]);
  assert.deepEqual(result, { status: 0, stdout: "", stderr: "" });
}

async function shipped(stage: Stage): Promise<void> {
  const { lab, variant } = stage;
  await lab.must(["systemctl", "start", "daemon.socket"]);
  assert.equal(await show(stage, "ActiveState"), "inactive");
  const curl = ["curl", "--silent", "--show-error", "--max-time", "60", "http://127.0.0.1:8080/"];
  assert.equal(await lab.must(curl), "Hello World\n1\n");
  assert.equal(await lab.must(curl), "Hello World\n2\n");
  // It may answer before it has said so.
  await until("it is ready", async () => await show(stage, "ActiveState") === "active", 30_000);
  assert.equal(await show(stage, "NotifyAccess"), variant.ffi ? "main" : "all");
  const pid = await show(stage, "MainPID");
  assert.equal(await lab.must(["readlink", `/proc/${pid}/exe`]), `${variant.executable}\n`);
  const [, uid] = /^Uid:\t(\d+)/m.exec(await lab.must(["cat", `/proc/${pid}/status`]))!;
  assert.ok(Number(uid) >= 61184, `DynamicUser= gave it the user ${uid}`);
  await lab.must(["systemctl", "stop", unit]);
  assert.equal(await show(stage, "Result"), "success");
}

async function ready(stage: Stage): Promise<void> {
  const { lab } = stage;
  await prepare(stage);
  // Whoever reads it waits for the writer.
  await lab.must(["sh", "-c", `rm ${file} && mkfifo -m 644 ${file}`]);
  let started = false;
  const starting = lab.must(["systemctl", "start", unit], { timeoutMs: 60_000 }).then(() => started = true);
  await until("it starts", async () => await show(stage, "ActiveState") === "activating");
  await sleep(300);
  assert.equal(await show(stage, "ActiveState"), "activating");
  assert.equal(started, false);
  await lab.must(["sh", "-c", `echo Moin >${file}`], { timeoutMs: 60_000 });
  assert.equal(await starting, true);
  assert.equal(await show(stage, "ActiveState"), "active");
  assert.deepEqual(await greeted(stage.path), ["Moin", 1]);
}

async function status(stage: Stage): Promise<void> {
  await prepare(stage, ["DynamicUser=no", "User=nobody"]);
  await start(stage);
  assert.equal(await show(stage, "User"), "nobody");
  await until("its first status", async () => await show(stage, "StatusText") === "0 requests");
  for (let i = 1; i <= 3; i++) assert.deepEqual(await greeted(stage.path), ["Hello", i]);
  await until("three requests", async () => await show(stage, "StatusText") === "3 requests", 30_000);
}

async function reload(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  // It is there for longer than that: it pings.
  await prepare(stage, ["WatchdogSec=5"], "greeting 0");
  await start(stage);
  using agent = keepAlive();
  const { socket } = await get(path, "/", agent);
  const pid = await show(stage, "MainPID");
  const begin = Date.now();
  for (let i = 1; i <= 4 || Date.now() < begin + 6000; i++) {
    const slow = greeted(path, "/slow?ms=300");
    await greet(stage, `greeting ${i}`);
    await lab.must(["systemctl", "reload", unit]);
    const isNew = async () => (await greeted(path))[0] === `greeting ${i}`;
    await until("the new greeting", isNew, 30_000);
    const answer = await get(path, "/", agent);
    assert.match(answer.body, new RegExp(`^greeting ${i}\n`));
    assert.equal(answer.socket, socket, "it is the connection of the beginning");
    assert.match((await slow)[0], /^greeting/);
  }
  const good = (await greeted(path))[0];
  await greet(stage, "");
  await lab.must(["systemctl", "reload", unit]);
  const isTold = async () => /Cannot greet: the first line of .* is empty/.test(await show(stage, "StatusText"));
  await until("the status says why", isTold, 30_000);
  assert.equal((await greeted(path))[0], good);
  await until("it runs", async () => await show(stage, "ActiveState") === "active");
  assert.equal(await show(stage, "MainPID"), pid);
  assert.equal(await show(stage, "NRestarts"), "0");
}

async function watchdog(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await prepare(stage, ["WatchdogSec=3", "Restart=on-watchdog"]);
  const restarts = async () => Number(await show(stage, "NRestarts"));
  await start(stage);
  const pid = await show(stage, "MainPID");
  await assert.rejects(get(path, "/block?ms=120000"));
  await until("it is started again", async () => await restarts() === 1, 30_000);
  assert.equal((await greeted(path))[0], "Hello");
  assert.notEqual(await show(stage, "MainPID"), pid);
  assert.match(await lab.journal(unit), /^daemon\.service: Watchdog timeout \(limit 3s\)!$/m);

  // The new instance can start, and find its file, only once it is back.
  await lab.must(["mv", file, `${file}.away`]);
  await until(
    "it is killed",
    async () => (await lab.journal(unit)).split("Watchdog timeout (limit 3s)!").length > 2,
    30_000,
  );
  await lab.must(["mv", `${file}.away`, file]);
  assert.equal((await greeted(path))[0], "Hello");
  assert.match(await lab.journal(unit), /Cannot ping the watchdog: the health check gave false$/m);
}

/** Whether a process has the socket of the service. */
async function holdsSocket({ lab }: Stage, pid: string): Promise<boolean> {
  const [, inode] = / 00010000 \d+ \d+ +(\d+) \/run\/daemon\.sk$/m.exec(await lab.must(["cat", "/proc/net/unix"]))!;
  return (await lab.must(["ls", "-l", `/proc/${pid}/fd`])).includes(`socket:[${inode}]`);
}

async function drain(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await prepare(stage, ["TimeoutStopSec=2", "Environment=DRAIN_TIMEOUT=60000"]);
  await start(stage);
  const slow = greeted(path, "/slow?ms=8000");
  await until("it is being answered", async () => await show(stage, "StatusText") === "1 requests", 30_000);
  const pid = await show(stage, "MainPID");
  assert.equal(await holdsSocket(stage, pid), true);
  const stopping = lab.must(["systemctl", "stop", unit], { timeoutMs: 60_000 });
  await until("it stops", async () => await show(stage, "ActiveState") === "deactivating");
  assert.equal(await show(stage, "SubState"), "stop-sigterm");
  await until("it accepts nobody any more", async () => !await holdsSocket(stage, pid));
  // The next instance's, which the socket starts.
  const next = greeted(path);
  assert.deepEqual(await slow, ["Hello", 1]);
  await stopping;
  assert.deepEqual(await next, ["Hello", 1]);
  const journal = await lab.journal(unit);
  assert.match(journal, /^daemon\.service: Deactivated successfully\.$/m);
  assert.doesNotMatch(journal, /stop-sigterm' timed out/);
}

async function drainTimeout(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await prepare(stage, ["Environment=DRAIN_TIMEOUT=300"]);
  await start(stage);
  const slow = assert.rejects(get(path, "/slow?ms=120000"));
  await until("it is being answered", async () => await show(stage, "StatusText") === "1 requests", 30_000);
  await lab.must(["systemctl", "stop", unit], { timeoutMs: 60_000 });
  await slow;
  assert.equal(await show(stage, "ExecMainStatus"), "0");
  assert.equal(await show(stage, "Result"), "success");
}
