import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, until } from "./clients.ts";
import { eachVariant, execStart, property, type Stage, type Variant, variantsOf } from "./variants.ts";

const variants = variantsOf("foobar");
const node20 = variants.find(({ name }) => name === "Node 20")!;
const withoutKoffi: Variant = { ...node20, name: "Node 20 without koffi", ffi: false };
const portable = variants.find(({ name }) => name === "Deno without FFI")!;
const withDatagrams: Variant = { ...portable, name: "Deno with datagrams" };
const others = variants.filter(({ name }) => name !== "Bun, compiled" && name !== "Node 22");

eachVariant("foobar", {
  "systemctl start returns when the service says that it is ready": ready,
  "a status is what systemctl status shows": status,
  "NotifyAccess=main takes messages of systemd-notify from root alone": accessMain,
  "a barrier waits until systemd has read what came before": barrier,
  "what is stored outlives restarts and crashes, until it is dropped": store,
  "a blocked event loop is found, and a healthy one is left alone": watchdog,
  "a failed health check withholds the pings, or triggers": health,
  "log lines have their priority in the journal": logs,
  "a service finds what systemd made for it": surroundings,
}, [...others, withDatagrams, withoutKoffi]);

const unit = "notifyd.service";
const variables = [
  "NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID",
  "JOURNAL_STREAM,CREDENTIALS_DIRECTORY,STATE_DIRECTORY,RUNTIME_DIRECTORY",
].join(",");

/** What the service is started with. */
interface Setup {
  readonly service?: readonly string[];
  /** NotifyAccess=; what the variant needs if nothing is said. */
  readonly access?: "main" | "all";
  readonly user?: "root" | "dynamic";
  /** Does not say by itself that it is ready. */
  readonly wait?: boolean;
}

/** Whether its messages come from the program systemd-notify. */
const hasHelper = ({ name, ffi }: Variant) => !ffi && name !== withDatagrams.name;

/** As the shipped units have it. */
const locked = [
  ...["DynamicUser=yes", "PrivateUsers=yes", "CapabilityBoundingSet=", "NoNewPrivileges=yes", "ProtectSystem=strict"],
  ...["PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "ProtectProc=invisible", "ProcSubset=pid"],
  "SystemCallFilter=@system-service @pkey",
];

async function commandLine(stage: Stage, wait: boolean): Promise<string> {
  const { variant } = stage;
  const { runtime, ffi, name } = variant;
  const denoFlags = [
    `--allow-env=${variables}`,
    "--allow-read=/run/systemd/system,/run/credentials",
    ...(hasHelper(variant) ? ["--allow-run=systemd-notify"] : []),
    ...(ffi || hasHelper(variant) ? [] : ["--unstable-net", "--allow-net", "--allow-write=/run/systemd/notify"]),
  ].join(" ");
  const line = await execStart(stage, "test/systemd/fixtures/notifyd.ts", runtime === "deno" ? denoFlags : "");
  const flagged = name === withoutKoffi.name ? line.replace("/node ", "/node --no-addons ") : line;
  return `${flagged}${wait ? " wait" : ""}`;
}

/** Writes the units, and starts the socket: the service is not running. */
async function setUp(
  stage: Stage,
  { service = [], access, user = "dynamic", wait = false }: Setup = {},
): Promise<void> {
  const { lab, variant } = stage;
  await lab.must(["systemctl", "stop", "notifyd.socket", unit]).catch(() => {});
  await lab.run(["systemctl", "reset-failed", "notifyd*"]);
  const lines = ["[Socket]", "ListenStream=/run/notifyd.sk", "FileDescriptorName=control", "TriggerLimitIntervalSec=0"];
  lab.writeUnit("notifyd.socket", lines.join("\n"));
  lab.writeUnit(
    unit,
    [
      ...["[Unit]", "StartLimitIntervalSec=0", "Requires=notifyd.socket", "[Service]", "Type=notify", "Restart=always"],
      ...[`NotifyAccess=${access ?? (hasHelper(variant) ? "all" : "main")}`, "RestartSec=0", "TimeoutStartSec=30"],
      await commandLine(stage, wait),
      ...["WorkingDirectory=/opt/fd3", "CacheDirectory=notifyd", "Environment=DENO_NO_UPDATE_CHECK=1"],
      ...["Environment=DENO_DIR=%C/notifyd", "Environment=TMPDIR=%C/notifyd"],
      ...(user === "root" ? [] : locked),
      ...service,
    ].join("\n"),
  );
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", "notifyd.socket"]);
}

/** Has the service call a function; it is started by that if it does not run. */
async function call(stage: Stage, ...request: readonly unknown[]): Promise<unknown> {
  const text = await ask(`${stage.lab.root}/run/notifyd.sk`, JSON.stringify(request), 30_000);
  const { value, code, message } = JSON.parse(text);
  if (code !== undefined) throw Object.assign(new Error(message), { code });
  return value;
}

const show = (stage: Stage, name: string) => property(stage, unit, name);

async function ready(stage: Stage): Promise<void> {
  const { lab } = stage;
  await setUp(stage, { wait: true });
  let started = false;
  const starting = lab.must(["systemctl", "start", unit]).then(() => started = true);
  assert.equal(await call(stage, "booted"), true);
  assert.equal(await show(stage, "ActiveState"), "activating");
  await sleep(200);
  assert.equal(started, false);
  assert.equal(await call(stage, "notify", { ready: true, status: "Serving", X_A: "b" }), true);
  assert.equal(await starting, true);
  assert.equal(await show(stage, "ActiveState"), "active");
  assert.equal(await show(stage, "StatusText"), "Serving");
}

async function status(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.lab.must(["systemctl", "start", unit]);
  const long = "x".repeat(4000);
  for (const text of ["grüß dich 💡", "a = b; $(c) %n", long, ""]) {
    assert.equal(await call(stage, "notify", { status: text }), true);
    await until(`the status is ${text}`, async () => await show(stage, "StatusText") === text);
  }
}

async function accessMain(stage: Stage): Promise<void> {
  await setUp(stage, { user: "root", access: "main" });
  await stage.lab.must(["systemctl", "start", unit]);
  assert.equal(await show(stage, "ActiveState"), "active");
  if (!hasHelper(stage.variant)) return;
  await setUp(stage, { access: "main", service: ["TimeoutStartSec=10", "Restart=no"] });
  const { status } = await stage.lab.run(["systemctl", "start", unit]);
  assert.equal(status, 1);
  assert.equal(await show(stage, "Result"), "timeout");
  // systemd 252 says that it has refused a message; 257 does not.
  const journal = await stage.lab.journal(unit);
  assert.match(
    journal,
    /^fd3: its messages come from the program systemd-notify: .* needs NotifyAccess=all, or (?:--allow-ffi|koffi \(npm install koffi\))$/m,
  );
}

async function barrier(stage: Stage): Promise<void> {
  await setUp(stage);
  if (!stage.variant.ffi) return await assert.rejects(call(stage, "barrier"), { code: "ERR_FD3_FFI" });
  for (let i = 0; i < 5; i++) {
    await call(stage, "notify", { status: `before ${i}` });
    assert.equal(await call(stage, "barrier", 20_000), true);
    assert.equal(await show(stage, "StatusText"), `before ${i}`);
  }
}

async function store(stage: Stage): Promise<void> {
  const { lab } = stage;
  const size = () => show(stage, "NFileDescriptorStore");
  await setUp(stage, { service: ["FileDescriptorStoreMax=8"] });
  if (!stage.variant.ffi) return await assert.rejects(call(stage, "storeFd", "a", 0), { code: "ERR_FD3_FFI" });
  await lab.must(["systemctl", "start", unit]);
  assert.equal(await call(stage, "starts"), 1);
  await lab.must(["systemctl", "restart", unit]);
  assert.equal(await call(stage, "starts"), 2);
  await lab.must(["kill", "-KILL", await show(stage, "MainPID")]);
  assert.equal(await call(stage, "starts"), 3);
  assert.equal(await size(), "1");

  for (const name of ["old", "old", "new"]) assert.equal(await call(stage, "store", name), true);
  await until("all are stored", async () => await size() === "4");
  await lab.must(["systemctl", "restart", unit]);
  assert.equal(await call(stage, "starts"), 4);
  const left = await call(stage, "unclaimedFds") as { fd: number; name: string }[];
  assert.deepEqual(left.map(({ name }) => name).sort(), ["new", "old", "old"]);
  for (const entry of left.filter(({ name }) => name === "old")) assert.equal(await call(stage, "dropFd", entry), true);
  await until("they are dropped", async () => await size() === "2");
  assert.equal(await call(stage, "removeFd", "new"), true);
  await until("it is removed", async () => await size() === "1");
  await lab.must(["systemctl", "stop", unit]);
  assert.equal(await call(stage, "starts"), 1);
}

async function watchdog(stage: Stage): Promise<void> {
  await setUp(stage, { service: ["WatchdogSec=4"] });
  const first = async () => ({ restarts: await show(stage, "NRestarts"), pid: await show(stage, "MainPID") });
  assert.deepEqual(await call(stage, "watchdog"), { intervalMs: 4000 });
  const before = await first();
  await sleep(6000);
  assert.deepEqual(await first(), before);
  await call(stage, "block", 60_000).catch(() => {});
  await until("it is restarted", async () => Number(await show(stage, "NRestarts")) > 0, 30_000);
  assert.match(await stage.lab.journal(unit), /notifyd\.service: Watchdog timeout \(limit 4s\)!$/m);
}

async function health(stage: Stage): Promise<void> {
  // Its interval is long: what comes soon was triggered.
  await setUp(stage, { service: ["WatchdogSec=20"] });
  await call(stage, "health", false);
  // It may be killed before it can answer.
  await call(stage, "watchdog", "trigger").catch(() => {});
  await until("it is restarted", async () => Number(await show(stage, "NRestarts")) > 0);
  assert.match(await stage.lab.journal(unit), /Cannot ping the watchdog: the health check gave false$/m);

  await setUp(stage, { service: ["WatchdogSec=2"] });
  await call(stage, "watchdog");
  await call(stage, "health", false);
  await until("it is restarted", async () => Number(await show(stage, "NRestarts")) > 0);
}

async function logs(stage: Stage): Promise<void> {
  await setUp(stage);
  const name = `${stage.variant.name} ${Date.now()}`;
  await call(stage, "log", "err", `${name} one\n${name} two`);
  await call(stage, "log", "debug", `${name} three`);
  await stage.lab.must(["journalctl", "--sync"]);
  const text = await stage.lab.must(["journalctl", "--quiet", "--output=json", `_SYSTEMD_UNIT=${unit}`]);
  const entries = text.trim().split("\n").map((line) => JSON.parse(line)).filter(({ MESSAGE }) =>
    MESSAGE.startsWith(name)
  );
  const found = entries.map(({ MESSAGE, PRIORITY }) => [MESSAGE.slice(name.length), PRIORITY]);
  assert.deepEqual(found, [[" one", "3"], [" two", "3"], [" three", "7"]]);
}

async function surroundings(stage: Stage): Promise<void> {
  const service = ["SetCredential=token:geheim", "StateDirectory=notifyd notifyd/sub", "RuntimeDirectory=notifyd"];
  await setUp(stage, { service });
  assert.equal(await call(stage, "secret", "token"), "geheim");
  assert.equal(await call(stage, "secret", "other"), undefined);
  assert.deepEqual(await call(stage, "directories", "state"), ["/var/lib/notifyd", "/var/lib/notifyd/sub"]);
  assert.deepEqual(await call(stage, "directories", "runtime"), ["/run/notifyd"]);
}
