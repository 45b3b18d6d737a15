import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openBunServe } from "../../runtimes/bun/serve/engine.ts";
import type { Engine } from "../../src/http/engine.ts";
import { eventually } from "../fixtures/activate.ts";
import { adopted, Handler, opened } from "./fixtures/engine.ts";
import { makeTls } from "../fixtures/certificate.ts";
import { ask, countResponses, getRequest, openRaw } from "../fixtures/http_client.ts";
import { runtime } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

/** What an engine says of the addresses of a request to it. */
async function addresses(target: object, headers?: Record<string, string>): Promise<Record<string, unknown>> {
  const answer = await ask(target, { path: "/addresses", ...(headers === undefined ? {} : { headers }) });
  return JSON.parse(answer.slice("200 ".length));
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(() => true);
  return await Promise.race([settled, sleep(50).then(() => false)]);
}

async function checkAddresses(engine: Engine, hostname: string, seenAs = hostname): Promise<void> {
  assert.ok(engine.address.transport === "tcp");
  const { port } = engine.address;
  const told = await addresses({ host: hostname, port }, { host: "a.example" });
  assert.deepEqual(told.local, { transport: "tcp", hostname: seenAs, port });
  const remote = told.remote as { transport: string; hostname: string; port: number };
  assert.deepEqual([remote.transport, remote.hostname, typeof remote.port], ["tcp", seenAs, "number"]);
  assert.notEqual(remote.port, port);
  assert.equal(told.url, "http://a.example/addresses");
  engine.abort();
}

if (runtime === "Bun") {
  test("the Bun engine tells the inherited address and the ends of each request", async () => {
    using held = holdTcp();
    const engine = await adopted(held);
    assert.equal(engine.name, "bun-serve");
    assert.deepEqual(engine.address, { transport: "tcp", hostname: "127.0.0.1", port: held.port });
    await checkAddresses(engine, "127.0.0.1");
    using folder = tempFolder();
    const path = `${folder.path}/s.sk`;
    using unix = holdUnix(path);
    const second = await adopted(unix);
    assert.deepEqual(second.address, { transport: "unix", path });
    assert.deepEqual(await addresses({ path }, { host: "a.example" }), {
      remote: { transport: "unix", path: "" },
      local: { transport: "unix", path },
      url: "http://a.example/addresses",
    });
    second.abort();
  });

  test("the Bun engine at a fallback on all addresses tells which one a client came to", async () => {
    const on = (hostname: string) => opened({ transport: "tcp", hostname, port: 0 });
    await checkAddresses(await on("0.0.0.0"), "127.0.0.1");
    await checkAddresses(await on("::"), "127.0.0.1", "::ffff:127.0.0.1");
    await checkAddresses(await on("::"), "::1");
    await checkAddresses(await on("localhost"), "127.0.0.1");
  });

  test("the Bun engine gives a whole URL where there is no Host header", async () => {
    using held = holdTcp();
    const engine = await adopted(held);
    const client = await openRaw(held.target);
    client.socket.write("GET /addresses?a=1 HTTP/1.0\r\n\r\n");
    assert.match(await client.ended, new RegExp(`/addresses\\?a=1$`));
    engine.abort();
  });

  test("the Bun engine serves by TLS", needs("openssl"), async () => {
    using folder = tempFolder();
    const { key, cert } = makeTls(folder.path);
    const address = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;
    const engine = await openBunServe(address, {}, { key, cert }, new Handler());
    const answer = await ask(
      engine.address.transport === "tcp" ? { host: "127.0.0.1", port: engine.address.port } : {},
      {
        path: "/addresses",
        secure: true,
      },
    );
    assert.match(answer, /"url":"https:\/\/127\.0\.0\.1:\d+\/addresses"/);
    engine.abort();
  });

  test("stopAccepting() of the Bun engine leaves the queue to the next one and the connections alone", async () => {
    using held = holdTcp();
    const handler = new Handler();
    const first = await adopted(held, handler);
    const kept = await openRaw(held.target);
    const slow = await openRaw(held.target);
    slow.socket.write(getRequest("/slow"));
    assert.ok(await eventually(() => handler.running === 1));
    first.stopAccepting();
    first.stopAccepting();
    const next = await openRaw(held.target);
    next.socket.write(getRequest("/next"));
    kept.socket.write(getRequest("/kept"));
    assert.ok(await eventually(() => countResponses(kept.text()) === 1));
    assert.ok(await eventually(() => countResponses(slow.text()) === 1));
    assert.equal(next.text(), "");
    const second = await adopted(held);
    assert.ok(await eventually(() => countResponses(next.text()) === 1));
    await first.close();
    await first.finished;
    second.abort();
    await second.finished;
  });

  test("unread() and connections() of the Bun engine count what was accepted", async () => {
    using held = holdTcp();
    const engine = await adopted(held);
    assert.deepEqual([engine.unread(), engine.connections()], [0, 0]);
    const clients = [await openRaw(held.target), await openRaw(held.target), await openRaw(held.target)];
    assert.ok(await eventually(() => engine.connections() === 3));
    assert.equal(engine.unread(), 3);
    clients[0].socket.write(getRequest("/one"));
    clients[1].socket.write("GET /ha");
    assert.ok(await eventually(() => countResponses(clients[0].text()) === 1));
    // One that has sent half a request, and one that has sent nothing.
    assert.ok(await eventually(() => engine.unread() === 2));
    clients[0].socket.destroy();
    assert.ok(await eventually(() => engine.connections() === 2));
    engine.abort();
    assert.ok(await eventually(() => engine.connections() === 0));
    using folder = tempFolder();
    using unix = holdUnix(`${folder.path}/s.sk`);
    const second = await adopted(unix);
    const client = await openRaw(unix.target);
    assert.ok(await eventually(() => second.connections() === 1));
    assert.equal(second.unread(), undefined);
    client.socket.destroy();
    second.abort();
  });

  test("unread() of the Bun engine counts half a request, however soon it came", async () => {
    using held = holdTcp();
    const engine = await adopted(held);
    for (let count = 1; count <= 10; count++) {
      const client = await openRaw(held.target);
      client.socket.write("GET /ha");
      // Until Bun has read all, it counts because of that.
      const readAll = await openRaw(held.target);
      readAll.socket.write(getRequest("/"));
      assert.ok(await eventually(() => countResponses(readAll.text()) === 1));
      assert.equal(engine.unread(), count);
    }
    engine.abort();
  });

  test("close() of the Bun engine ends idle connections, and answers what had arrived on one", async () => {
    using held = holdTcp();
    using folder = tempFolder();
    using unix = holdUnix(`${folder.path}/s.sk`);
    for (const { target, fd, sendQueue } of [held, unix]) {
      const engine = await adopted({ target, fd, sendQueue, [Symbol.dispose]() {} });
      const clients = [await openRaw(target), await openRaw(target), await openRaw(target)];
      for (const { socket } of clients) socket.write(getRequest("/first"));
      assert.ok(await eventually(() => clients.every((client) => countResponses(client.text()) === 1)));
      assert.equal(await isSettled(engine.finished), false);
      // In this turn of the event loop: it has arrived, and Bun has not looked.
      clients[0].socket.write(getRequest("/second"));
      await engine.close();
      await engine.finished;
      const texts = await Promise.all(clients.map((client) => client.ended));
      assert.deepEqual(texts.map((text) => countResponses(text)), [2, 1, 1]);
    }
  });

  test("close() of the Bun engine waits for requests that are on their way, running, or come in pieces", async () => {
    using held = holdTcp();
    const handler = new Handler();
    const engine = await adopted(held, handler);
    const clients = [];
    for (let i = 0; i < 4; i++) clients.push(await openRaw(held.target));
    const [slow, upload, half, deaf] = clients;
    slow.socket.write(getRequest("/slow"));
    upload.socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    half.socket.write("GET /half HTTP/1.1\r\nHo");
    // Its handler does not read the body, which waits in the kernel.
    deaf.socket.write("POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
    deaf.socket.write(new Uint8Array(20_000_000));
    assert.ok(await eventually(() => handler.running === 3));
    assert.ok(engine.inFlight() >= 3);
    handler.draining = true;
    const closed = engine.close();
    assert.equal(await isSettled(closed), false);
    upload.socket.write("56789");
    half.socket.write("st: a\r\n\r\n");
    await closed;
    const texts = await Promise.all([slow, upload, half].map((client) => client.ended));
    assert.deepEqual(texts.map((text) => text.split("\r\n\r\n")[1]), ["/slow", "10", "/half"]);
    await engine.finished;
    deaf.socket.destroy();
  });

  test("abort() of the Bun engine cuts off what is open", async () => {
    using held = holdTcp();
    const handler = new Handler();
    const engine = await adopted(held, handler);
    const client = await openRaw(held.target);
    client.socket.write(getRequest("/slow"));
    assert.ok(await eventually(() => handler.running === 1));
    const closed = engine.close();
    engine.abort();
    await engine.finished;
    await closed;
    assert.equal(await client.ended, "");
    // The descriptor is free for the next.
    const next = await adopted(held);
    assert.equal(await ask(held.target, { path: "/next" }), "200 /next");
    next.abort();
  });

  test("the Bun engine at a fallback path deletes its file when it stops accepting, and no other one after", async () => {
    using folder = tempFolder();
    const path = `${folder.path}/own.sk`;
    const handler = new Handler();
    const first = await opened({ transport: "unix", path }, handler);
    const slow = ask({ path }, { path: "/slow" });
    assert.ok(await eventually(() => handler.running === 1));
    first.stopAccepting();
    assert.equal(existsSync(path), false);
    const second = await opened({ transport: "unix", path });
    await first.close();
    assert.equal(await slow, "200 /slow");
    assert.equal(await ask({ path }, { path: "/second" }), "200 /second");
    await second.close();
    assert.equal(existsSync(path), false);
  });

  test("the Bun engine at a fallback port refuses clients when it stops accepting", async () => {
    const engine = await opened({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
    assert.ok(engine.address.transport === "tcp");
    const target = { host: "127.0.0.1", port: engine.address.port };
    assert.equal(await ask(target, { path: "/there" }), "200 /there");
    engine.stopAccepting();
    await assert.rejects(() => ask(target, {}), { code: "ECONNREFUSED" });
    await engine.close();
  });
} else test(`the Bun engine is none of ${runtime}'s`, () => assert.equal("Bun" in globalThis, false));
