import assert from "node:assert/strict";
import { test } from "node:test";
import { activate, eventually, memory } from "../fixtures/activate.ts";
import { open } from "../fixtures/client.ts";
import { engines, type Place, places, startServer } from "../fixtures/engines.ts";
import { ask, countResponses, getRequest, openRaw, type RawClient } from "../fixtures/http_client.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

const MiB = 1024 * 1024;
/** How much is streamed. */
const muchMiB = 512;
/** As much as a process may grow meanwhile, at most. */
const littleKiB = 128 * 1024;

/** What each variant takes by itself. */
const byItself = places.filter(({ variant, engine }) => engines[variant.name][0] === engine);

/** Sends so many bytes as they are taken. */
async function pour(client: RawClient, bytes: number): Promise<void> {
  const block = Buffer.alloc(MiB);
  for (let sent = 0; sent < bytes; sent += block.length) {
    if (!client.socket.write(block)) await new Promise((resolve) => client.socket.once("drain", resolve));
  }
}

/** Reads the response to the end, and gives how long it was with its head. */
async function drink(target: object, path: string): Promise<number> {
  const socket = await open(target);
  socket.write(getRequest(path, "Connection: close\r\n"));
  let bytes = 0;
  for await (const chunk of socket) bytes += chunk.length;
  return bytes;
}

for (const place of byItself) {
  test(`serve() streams ${muchMiB} MiB each way, and holds little of it (${place.name})`, async () => {
    using folder = tempFolder();
    using held = holdUnix(`${folder.path}/s.sk`);
    await using started = await startServer(place, [held.fd]);
    assert.equal(await ask(held.target, { path: "/give?4" }), `200 ${"x".repeat(4 * MiB)}`);
    const base = memory(started.pid, "VmHWM");
    const upload = await openRaw(held.target);
    upload.socket.write(`POST /count HTTP/1.1\r\nHost: example\r\nContent-Length: ${muchMiB * MiB}\r\n\r\n`);
    await pour(upload, muchMiB * MiB);
    assert.ok(await eventually(() => upload.text().endsWith(String(muchMiB * MiB)), 60_000), upload.text());
    upload.socket.destroy();
    assert.ok(await drink(held.target, `/give?${muchMiB}`) > muchMiB * MiB);
    const grown = memory(started.pid, "VmHWM") - base;
    assert.ok(grown < littleKiB, `memory grew by ${grown} KiB`);
  });
}

/** Connects so many clients, a hundred at a time, each of which asks once and stays. */
async function crowd(target: object, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const some = await Promise.all(Array.from({ length: 100 }, () => openRaw(target)));
    for (const { socket } of some) socket.write(getRequest("/"));
    const isServed = () => some.every((client) => countResponses(client.text()) === 1);
    assert.ok(await eventually(isServed, 30_000), `not all of ${clients.length + 100} clients are served`);
    clients.push(...some);
  }
  return clients;
}

async function manyConnections({ variant, engine }: Place): Promise<void> {
  using held = holdTcp({ backlog: 512 });
  await using started = activate({
    variant,
    script: "test/fixtures/http_daemon.ts",
    args: [JSON.stringify({ engine })],
    fds: [held.fd],
    // What systemd gives: each runtime raises the soft limit by itself.
    before: "ulimit -Sn 1024;",
  });
  await started.line();
  const clients = await crowd(held.target, 10_000);
  assert.equal(await ask(held.target), "200 Hello World");
  const last = clients.at(-1)!;
  last.socket.write(getRequest("/"));
  assert.ok(await eventually(() => countResponses(last.text()) === 2), last.text());
  for (const { socket } of clients) socket.destroy();
  assert.equal(await started.terminate(), 0, started.stderr());
}

for (const place of byItself) {
  test(`serve() serves with 10,000 connections open (${place.name})`, () => manyConnections(place));
}
