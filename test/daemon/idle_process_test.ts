import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { echoes, echoOnce, open, receive } from "../fixtures/client.ts";
import { ask, getRequest, openRaw } from "../fixtures/http_client.ts";
import { type Life, withLives, withLoner } from "../fixtures/lives.ts";
import { libc, runtime } from "../fixtures/runtime.ts";
import { readableSockets } from "../../src/linux/accepted.ts";

/** How many clients come at random moments, at least. FD3_IDLE_CYCLES=500 takes a minute or two. */
const cycles = Number(process.env.FD3_IDLE_CYCLES ?? 12);

for (const transport of ["unix", "tcp"] as const) {
  for (const mode of transport === "tcp" ? ["serve", "attach", "echo"] : ["serve", "echo"]) {
    test(`daemon() ends when nobody is there, and the next client starts it again (${runtime}, ${mode}, ${transport})`, async () => {
      await withLives({ mode, transport, options: { idleTimeout: 300 } }, async (life, way) => {
        await life.hears(/^READY=1/);
        assert.equal(await life.exited, 0, `${way.name}: ${life.stderr()}`);
        await life.hears(/^STOPPING=1$/);
        assert.match(life.stderr(), /aborted\ncleanup: third\ncleanup: second\ncleanup: first\n/);
        const client = await open(life.held.target);
        client.write(mode === "echo" ? "hello" : getRequest("/", "connection: close\r\n"));
        await using next = life.again();
        const answer = await receive(client, mode === "echo" ? 5 : Infinity);
        assert.match(answer.toString(), mode === "echo" ? /^hello$/ : /^HTTP\/1.1 200 OK\r\n[^]*Hello$/);
        client.destroy();
        assert.equal(await next.exited, 0, next.stderr());
      });
    });
  }
}

test(`daemon() does not end while a request is answered or a connection is open (${runtime})`, async () => {
  await withLives({ options: { idleTimeout: 250 } }, async (life, way) => {
    assert.equal(await ask(life.held.target, { path: "/slow?1200" }), "200 slow and whole", way.name);
    assert.equal(await life.exited, 0, `${way.name}: ${life.stderr()}`);
  });
  await withLives({ mode: "echo", options: { idleTimeout: 250 } }, async (life, way) => {
    const client = await open(life.held.target);
    await echoes(client, "one");
    await sleep(1200);
    await echoes(client, "two");
    assert.ok(!life.told().includes("STOPPING=1"), way.name);
    client.destroy();
    assert.equal(await life.exited, 0, `${way.name}: ${life.stderr()}`);
  });
});

test(`daemon() does not end while clients come and go (${runtime})`, async () => {
  await withLives({ options: { idleTimeout: 2000 } }, async (life, way) => {
    for (let i = 0; i < 25; i++) {
      assert.equal(await Promise.race([ask(life.held.target), life.exited]), "200 Hello", way.name);
      await sleep(100);
    }
    assert.ok(!life.told().includes("STOPPING=1"), way.name);
    assert.equal(await life.exited, 0, `${way.name}: ${life.stderr()}`);
  });
});

test(`daemon() runs on at a socket of its own (${runtime})`, async () => {
  const options = { idleTimeout: 100, fallback: "127.0.0.1:0" };
  await withLoner({ transport: "none", options }, async (life, way) => {
    await life.says("set up");
    await sleep(700);
    assert.equal(life.child.exitCode, null, `${way.name}: ${life.stderr()}`);
    assert.equal(await life.terminate(), 0, life.stderr());
  });
});

/** Starts an instance whenever a client waits and none runs, as systemd does, and counts them. */
async function supervise(first: Life, count: { instances: number }, isOver: () => boolean): Promise<void> {
  let life = first;
  while (!isOver()) {
    if (life.child.exitCode === null && life.child.signalCode === null) await sleep(2);
    else if (readableSockets(libc(), [life.held.fd]).length === 0) await sleep(2);
    else {
      assert.equal(await life.exited, 0, life.stderr());
      life = life.again();
      count.instances++;
    }
  }
  assert.equal(await life.exited, 0, life.stderr());
}

async function askOnce({ held }: Life): Promise<string> {
  const client = await openRaw(held.target);
  client.socket.write(getRequest("/", "connection: close\r\n"));
  return await client.ended;
}

for (const mode of ["serve", "attach", "echo"]) {
  test(`daemon() loses no client who comes while it ends (${runtime}, ${mode})`, async () => {
    await withLives({ mode, options: { idleTimeout: 20 } }, async (life, way) => {
      let isOver = false;
      const count = { instances: 1 };
      const supervising = supervise(life, count, () => isOver);
      // One that is slow to become ready answers some more before it is idle.
      for (let i = 0; i < cycles || (count.instances <= 3 && i < 20 * cycles); i++) {
        if (mode === "echo") await echoOnce(life.held.target, "are you there?");
        else assert.match(await askOnce(life), /^HTTP\/1.1 200 OK/, way.name);
        await sleep(Math.random() * 60);
      }
      isOver = true;
      await supervising;
      assert.ok(count.instances > 3, `${way.name}: ${count.instances} instances`);
    });
  });
}
