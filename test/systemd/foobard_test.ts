import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { ask, open, until } from "./clients.ts";
import { eachVariant, execStart, property, setUp, type Stage, unitOf, unitText } from "./variants.ts";

eachVariant("foobar", {
  "the unit files pass systemd-analyze verify": verify,
  "the first connection starts the service as shipped": firstConnection,
  "the service as shipped is locked in": sandbox,
  "clients that connected before the start are all served": earlyClients,
  "foobard refuses three sockets": threeSockets,
  "activated_only refuses to start without a socket": noSocket,
});

async function verify({ lab }: Stage): Promise<void> {
  const result = await lab.run(["systemd-analyze", "verify", "foobar.socket", "foobar.service"]);
  assert.deepEqual(result, { status: 0, stdout: "", stderr: "" });
}

async function firstConnection(stage: Stage): Promise<void> {
  const { lab, variant, path } = stage;
  await lab.must(["systemctl", "start", "foobar.socket"]);
  assert.equal(await property(stage, "foobar.socket", "ActiveState"), "active");
  assert.equal(await property(stage, "foobar.service", "ActiveState"), "inactive");
  using client = await open(path);
  client.send("hello world");
  assert.equal(await client.receive("hello world"), "hello world");
  client.send(" again");
  assert.equal(await client.receive("again"), "hello world again");
  assert.equal(await property(stage, "foobar.service", "ActiveState"), "active");
  const pid = await property(stage, "foobar.service", "MainPID");
  assert.equal(await lab.must(["readlink", `/proc/${pid}/exe`]), `${variant.executable ?? variant.program}\n`);
}

async function sandbox(stage: Stage): Promise<void> {
  const { lab } = stage;
  await setUp(stage);
  assert.equal(await ask(stage.path, "hello"), "hello");
  const pid = await property(stage, "foobar.service", "MainPID");
  const status = await lab.must(["cat", `/proc/${pid}/status`]);
  const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
  assert.ok(uid >= 61184 && uid <= 65519, `${uid} is not a dynamic user, see systemd.exec(5)`);
  assert.match(status, /^CapBnd:\t0+$/m);
  assert.match(status, /^NoNewPrivs:\t1$/m);
  assert.match(status, /^Seccomp:\t2$/m);
  const network = (who: string) => lab.must(["readlink", `/proc/${who}/ns/net`]);
  assert.notEqual(await network(pid), await network("1"));
}

async function earlyClients(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await setUp(stage, { service: ["ExecStartPre=+/bin/sh -c 'until test -e /run/go; do sleep 0.02; done'"] });
  const clients = await Promise.all(Array.from({ length: 50 }, () => open(path)));
  clients.forEach((client, i) => client.send(`client ${i}.`));
  assert.equal(await property(stage, "foobar.service", "MainPID"), "0");
  writeFileSync(`${lab.root}/run/go`, "");
  const replies = await Promise.all(clients.map((client, i) => client.receive(`client ${i}.`)));
  assert.deepEqual(replies, clients.map((_, i) => `client ${i}.`));
  for (const client of clients) client[Symbol.dispose]();
}

async function threeSockets(stage: Stage): Promise<void> {
  const { lab } = stage;
  await setUp(stage, { socket: ["ListenStream=/run/second.sk", "ListenStream=[::1]:7003"] });
  await lab.must(["systemctl", "start", "--no-block", "foobar.service"]);
  await failed(stage, "foobar.service", /^Too many file descriptors received$/m);
}

async function noSocket(stage: Stage): Promise<void> {
  const { lab } = stage;
  const exec = await execStart(stage, "examples/activated_only.ts");
  const text = unitText(unitOf(stage)).replace(/^ExecStart=.*$/m, exec).replace(/^Requires=.*$/m, "");
  lab.writeUnit("alone.service", text);
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", "--no-block", "alone.service"]);
  await failed(stage, "alone.service", /^No file descriptors received: start its socket unit /m);
}

/** The unit fails with status 1, and says why. So fast that systemd 252 sees the exit before the exec now and then: its start job may fail, too. */
async function failed(stage: Stage, unit: string, why: RegExp): Promise<void> {
  await until(`${unit} fails`, async () => await property(stage, unit, "ActiveState") === "failed");
  assert.equal(await property(stage, unit, "ExecMainCode"), "1"); // CLD_EXITED
  assert.equal(await property(stage, unit, "ExecMainStatus"), "1");
  assert.match(await stage.lab.journal(unit), why);
}
