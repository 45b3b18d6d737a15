import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type Started } from "../fixtures/activate.ts";
import { type Place, places, portOf, startServer, withServer } from "../fixtures/engines.ts";
import { ask, countResponses, getRequest, openRaw, type RawClient } from "../fixtures/http_client.ts";
import { runtime } from "../fixtures/runtime.ts";
import { holdTcp } from "../fixtures/sockets.ts";

/** Asks on a connection and waits until the handler runs. */
async function begin(started: Started, client: RawClient, path: string, mark: string): Promise<void> {
  client.socket.write(getRequest(path));
  assert.ok(await eventually(() => (started.stderr() + client.text()).includes(mark)), started.stderr());
}

/** Has it end, and waits until it has begun to: it accepts nobody from then on. */
async function stop(started: Started): Promise<{ ended: Promise<number | string> }> {
  const ended = started.terminate();
  assert.ok(await eventually(() => started.stderr().includes("stopping\n")), started.stderr());
  return { ended };
}

for (const place of places) {
  test(`HttpServer.shutdown() answers what is in flight, and leaves the rest to the next instance (${place.name})`, async () => {
    await withServer(place, {}, async (held, started) => {
      const idle = await openRaw(held.target);
      await begin(started, idle, "/", "Hello World");
      const drip = await openRaw(held.target);
      await begin(started, drip, "/drip?5000", "drop 0");
      const slow = await openRaw(held.target);
      await begin(started, slow, "/slow?3000", "slow began");
      const { ended } = await stop(started);
      const waiting = ask(held.target, { path: "/later" });
      assert.match(await slow.ended, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*slow and whole/i);
      assert.match(await drip.ended, /drop 4/);
      assert.equal(countResponses(await idle.ended), 1);
      assert.equal(await ended, 0, started.stderr());
      assert.match(started.stderr(), /finished/);
      await using next = await startServer(place, [held.fd]);
      assert.equal(await waiting, "200 Hello later");
      assert.equal(await ask(held.target), "200 Hello World");
      assert.equal(await next.terminate(), 0, next.stderr());
    });
  });

  test(`HttpServer.shutdown() answers clients that connected and send later (${place.name})`, async () => {
    await withServer(place, {}, async (held, started) => {
      const silent = await Promise.all(Array.from({ length: 5 }, () => openRaw(held.target)));
      const half = await openRaw(held.target);
      half.socket.write("GET / HTTP/1.1\r\nHo");
      // All of them are accepted once a later one is answered.
      assert.equal(await ask(held.target), "200 Hello World");
      // On some engines they have half a second.
      const { ended } = await stop(started);
      for (const { socket } of silent) socket.write(getRequest("/later"));
      half.socket.write("st: example\r\n\r\n");
      for (const client of silent) {
        assert.match(await client.ended, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*Hello later$/i);
      }
      // The kernel does not tell who has sent half a request; where node:http knows each connection, it waits for that one.
      if (place.engine === "node-http") assert.match(await half.ended, /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(await ended, 0, started.stderr());
    });
  });

  test(`HttpServer.shutdown() answers an upload that is on its way (${place.name})`, async () => {
    await withServer(place, {}, async (held, started) => {
      const client = await openRaw(held.target);
      client.socket.write("POST /count HTTP/1.1\r\nHost: example\r\nContent-Length: 400000\r\n\r\n");
      const block = "x".repeat(100_000);
      client.socket.write(block);
      assert.ok(await eventually(() => started.stderr().includes("count began")), started.stderr());
      const ended = started.terminate();
      for (let i = 0; i < 3; i++) {
        await sleep(150);
        client.socket.write(block);
      }
      assert.match(await client.ended, /^HTTP\/1\.1 200 OK\r\n[^]*400000$/);
      assert.equal(await ended, 0, started.stderr());
    });
  });

  test(`HttpServer.shutdown() cuts off after drainTimeout (${place.name})`, async () => {
    await withServer(place, { drainTimeout: 300 }, async (held, started) => {
      const hanging = await openRaw(held.target);
      await begin(started, hanging, "/hang", "hang began");
      const dripping = await openRaw(held.target);
      await begin(started, dripping, "/drip?600000", "HTTP/1.1 200 OK");
      const ended = started.terminate();
      assert.equal(await ended, 0, started.stderr());
      assert.equal(await hanging.ended, "");
      assert.doesNotMatch(await dripping.ended, /drop 4/);
    });
  });

  test(`HttpServer.shutdown() leaves clients in the queue while it drains (${place.name})`, async () => {
    await withServer(place, {}, async (held, started) => {
      const slow = await openRaw(held.target);
      await begin(started, slow, "/slow?2000", "slow began");
      const { ended } = await stop(started);
      const answers = Array.from({ length: 20 }, () => ask(held.target));
      assert.match(await slow.ended, /slow and whole/);
      assert.equal(await ended, 0, started.stderr());
      await using next = await startServer(place, [held.fd]);
      assert.deepEqual(await Promise.all(answers), Array(20).fill("200 Hello World"));
      assert.equal(await next.terminate(), 0, next.stderr());
      if (portOf(held) === undefined) assert.ok(await openRaw(held.target), "the path is kept");
    });
  });
}

test(`HttpServer.shutdown() gives up clients that send nothing (${runtime})`, async () => {
  const run = async (place: Place) => {
    using held = holdTcp();
    await using started = await startServer(place, [held.fd]);
    const silent = await openRaw(held.target);
    // The silent one is accepted once a later one is answered.
    assert.equal(await ask(held.target), "200 Hello World");
    const begin = performance.now();
    assert.equal(await started.terminate(), 0, started.stderr());
    assert.equal(await silent.ended, "");
    const took = performance.now() - begin;
    assert.ok(took < 20_000, `${place.name}: ${took} ms of the drainTimeout of 30 s`);
  };
  await Promise.all(places.map(run));
});
