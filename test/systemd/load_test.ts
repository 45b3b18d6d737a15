import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { comesToRest } from "../fixtures/cpu.ts";
import { ask, type Client, open, startLoad, until } from "./clients.ts";
import { cpuSeconds, eachVariant, property, setUp, type Stage } from "./variants.ts";

const LANES = 4;

eachVariant("foobar", {
  "a restart refuses and breaks no connection": restarts,
  "a crash refuses no connection": crashes,
  "a daemon without free descriptors neither dies nor spins": exhausted,
});

async function restarts(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await setUp(stage);
  await using load = startLoad(path, LANES);
  await load.served(10);
  for (let i = 0; i < 20; i++) {
    const old = await property(stage, "foobar.service", "MainPID");
    await lab.must(["systemctl", "restart", "foobar.service"]);
    assert.notEqual(await property(stage, "foobar.service", "MainPID"), old);
    await load.served(10);
  }
  const { refused, broken, other } = load.counts;
  assert.deepEqual({ refused, broken, other }, { refused: 0, broken: 0, other: [] });
  await load[Symbol.asyncDispose]();
  await lab.must(["systemctl", "stop", "foobar.service"]);
  assert.ok(existsSync(path));
}

async function crashes(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await setUp(stage);
  await using load = startLoad(path, LANES);
  await load.served(10);
  for (let i = 0; i < 5; i++) {
    await lab.must(["kill", "-KILL", await property(stage, "foobar.service", "MainPID")]);
    await load.served(10);
  }
  const { refused, broken, other } = load.counts;
  assert.deepEqual({ refused, other }, { refused: 0, other: [] });
  // What the daemon had accepted died with it: in each lane one connection at most.
  assert.ok(broken <= 5 * LANES, `${broken} broken`);
}

async function exhausted(stage: Stage): Promise<void> {
  const { variant, path } = stage;
  await setUp(stage, { service: ["LimitNOFILE=64"] });
  const clients = await Promise.all(Array.from({ length: 100 }, () => open(path)));
  clients.forEach((client, i) => client.send(`client ${i}.`));
  const isServed = ({ received }: Client) => received !== "";
  await until("somebody is served", () => clients.some(isServed));
  // Node accepts what it cannot keep, and closes it. With the others the rest waits.
  const isNode = variant.runtime === "node";
  if (isNode) await until("the rest is closed", () => clients.every((client) => client.ended || isServed(client)));
  const pid = await property(stage, "foobar.service", "MainPID");
  await comesToRest(() => cpuSeconds(stage, "foobar.service"));
  const served = clients.filter(isServed).length;
  assert.ok(served > 10 && served < 64, `${served} of 100 served`);
  assert.equal(clients.filter(({ ended }) => ended).length, isNode ? 100 - served : 0);

  // node:net on Deno does not accept again after a failure, and says nothing.
  if (variant.ffi) {
    await Promise.all(clients.map(async (client, i) => {
      if (!client.ended) await client.receive(`client ${i}.`);
      // Each that leaves makes room for one that waits.
      client[Symbol.dispose]();
    }));
    assert.equal(await ask(path, "hello"), "hello");
  }
  for (const client of clients) client[Symbol.dispose]();
  assert.equal(await property(stage, "foobar.service", "MainPID"), pid);
  assert.equal(await property(stage, "foobar.service", "ActiveState"), "active");
}
