import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { heard } from "../fixtures/activate.ts";
import { places, portOf, testAbreast } from "../fixtures/engines.ts";
import { open } from "../fixtures/client.ts";
import { ask } from "../fixtures/http_client.ts";
import { WebSocketClient } from "../fixtures/web_socket_client.ts";
import { withWebSockets } from "./fixtures/web_socket_server.ts";

testAbreast(places, "idleConnectionTimeout leaves a WebSocket alone that is quiet", async (place) => {
  await withWebSockets(place, { idleConnectionTimeout: 200 }, async (held, started) => {
    const client = await WebSocketClient.open(held.target, "/echo");
    await client.echoes("open");
    const idle = await open(held.target);
    const closed = new Promise((resolve) => idle.once("close", resolve));
    idle.resume().once("end", () => idle.end());
    // It was quiet for less time. On a Unix socket two of the engines cannot tell.
    await (portOf(held) === undefined ? sleep(1000) : closed);
    await client.echoes("still open");
    assert.doesNotMatch(started.stderr(), /close/);
    client.socket.destroy();
    idle.destroy();
  });
});

testAbreast(places, "HttpServer.shutdown() closes WebSockets with 1001 after streamTimeout", async (place) => {
  await withWebSockets(place, { streamTimeout: 100 }, async ({ target }, started) => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => WebSocketClient.open(target, "/echo?secret")));
    for (const client of clients) await client.echoes("open");
    const begin = performance.now();
    assert.equal(await started.terminate(), 0, started.stderr());
    const took = performance.now() - begin;
    await Promise.all(clients.map(({ ended }) => ended));
    for (const { closed } of clients) assert.deepEqual(closed, { code: 1001, reason: "" });
    assert.match(started.stderr(), /^fd3: stopping: 20 WebSockets open for 0\.\d s: GET \/echo \(20\)$/m);
    assert.equal(started.stderr().match(/^close 1001/gm)?.length, 20, started.stderr());
    assert.ok(took < 20_000, `${took} ms of the drainTimeout of 30 s`);
  });
});

testAbreast(places, "HttpServer.shutdown() lets a WebSocket go on until it is closed", async (place) => {
  await withWebSockets(place, { streamTimeout: 25_000 }, async ({ target }, started) => {
    const client = await WebSocketClient.open(target, "/echo");
    await client.echoes("before");
    const begin = performance.now();
    const exited = started.terminate();
    await heard(started, "stopping\n");
    for (let i = 0; i < 10; i++) await client.echoes(`still handled ${i}`);
    await client.close(3001, "own wish");
    await heard(started, 'close 3001 "own wish"');
    assert.equal(await exited, 0, started.stderr());
    const took = performance.now() - begin;
    assert.ok(took < 20_000, `${took} ms of the streamTimeout of 25 s`);
    assert.doesNotMatch(started.stderr(), /fd3: stopping/);
  });
});

testAbreast(
  places,
  "HttpServer.shutdown() does not wait for a client that does not answer the close frame",
  async (place) => {
    await withWebSockets(place, { streamTimeout: 100 }, async ({ target }, started) => {
      const deaf = await WebSocketClient.open(target, "/echo");
      await deaf.echoes("open");
      deaf.socket.removeAllListeners("data").pause();
      const begin = performance.now();
      assert.equal(await started.terminate(), 0, started.stderr());
      const took = performance.now() - begin;
      assert.ok(took < 20_000, `${took} ms of the drainTimeout of 30 s`);
      deaf.socket.destroy();
    });
  },
);

testAbreast(places, "HttpServer.shutdown() makes WebSockets of clients that were accepted", async (place) => {
  await withWebSockets(place, { streamTimeout: 5000 }, async (held, started) => {
    const socket = await open(held.target);
    // It is accepted once a later one is answered.
    assert.equal(await ask(held.target), "200 Hello World");
    const exited = started.terminate();
    await heard(started, "stopping\n");
    const client = await WebSocketClient.askOn(socket, "/later");
    assert.match(client.head, /^HTTP\/1\.1 101 /);
    await client.echoes("late");
    await client.ended;
    assert.equal(client.closed?.code, 1001, `${portOf(held)}`);
    assert.equal(await exited, 0, started.stderr());
  });
});
