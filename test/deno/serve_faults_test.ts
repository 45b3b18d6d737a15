import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import process from "node:process";
import { eventually, type Started } from "../fixtures/activate.ts";
import { open, receive } from "../fixtures/client.ts";
import { comesToRest, cpuSeconds } from "../fixtures/cpu.ts";
import { answerOf, get, inodeOf, listeningSockets, send } from "../fixtures/http.ts";
import { line, onDeno, start } from "./fixtures/on_deno.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

const close = "connection: close";

/** More clients than there are descriptors: all are served in the end, as others leave. */
async function exhausts(started: Started, target: object): Promise<void> {
  const clients = await Promise.all(Array.from({ length: 100 }, () => open(target)));
  await comesToRest(() => cpuSeconds(started.pid));
  assert.equal(started.child.exitCode, null, started.stderr());
  let answered = 0;
  await Promise.all(clients.map(async (client) => {
    send(client, "/text", [close]);
    const { status, body } = await answerOf(client);
    if (status === 200 && body.length > 1000) answered++;
    client.destroy();
  }));
  assert.equal(answered, clients.length);
  assert.equal((await get(target, "/text")).status, 200);
  assert.equal(listeningSockets(started.pid).length, 1);
}

for (const mode of ["native", "engine"] as const) {
  onDeno(`${mode === "native" ? "serveNative()" : "denoServe"} recovers when descriptors run out`, async () => {
    using folder = tempFolder();
    using tcp = holdTcp({ backlog: 512 });
    using unix = holdUnix(`${folder.path}/s.sk`, { backlog: 512 });
    const before = "ulimit -n 64;";
    for (const held of [tcp, unix]) {
      await using started = start(mode, {}, [held], { before });
      await line(started, 1);
      await exhausts(started, held.target);
      assert.equal(await started.terminate(), 0, started.stderr());
    }
    for (const fallback of ["127.0.0.1:0", `${folder.path}/f.sk`]) {
      await using started = start(mode, { fallback }, [], { before });
      const { address, addr = address } = await line(started, mode === "native" ? 2 : 1);
      const { path, hostname, port } = addr;
      await exhausts(started, path === undefined ? { host: hostname, port } : { path });
      assert.equal(await started.terminate(), 0, started.stderr());
    }
  });
}

onDeno("serveNative() serves who came before it started", async () => {
  using folder = tempFolder();
  using tcp = holdTcp({ backlog: 512 });
  using unix = holdUnix(`${folder.path}/s.sk`, { backlog: 512 });
  for (const held of [tcp, unix]) {
    const clients = await Promise.all(Array.from({ length: 200 }, () => open(held.target)));
    for (const client of clients) send(client, "/text", [close]);
    await using started = start("native", {}, [held]);
    const answers = await Promise.all(clients.map((client) => answerOf(client)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    for (const client of clients) client.destroy();
    assert.equal(await started.terminate(), 0, started.stderr());
  }
});

/** Sends RST instead of FIN. */
function reset(socket: Socket): void {
  socket.resetAndDestroy();
}

onDeno(
  "serveNative() outlives an upgrade that its handler forgets, which ends Deno's own server",
  async () => {
    using tcp = holdTcp();
    await using started = start("native", {}, [tcp]);
    const client = await open(tcp.target);
    const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    send(client, "/bad-ws", ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13", key]);
    assert.equal(await line(started, 3), "forgetting");
    for (let i = 0; i < 3; i++) assert.equal((await get(tcp.target, "/text")).status, 200);
    client.destroy();
    assert.deepEqual(listeningSockets(started.pid), [inodeOf(tcp.fd)]);
    assert.equal(await started.terminate(), 0, started.stderr());
  },
);

onDeno("serveNative() outlives clients that reset amid a request or a response, and tells its handlers", async () => {
  using tcp = holdTcp();
  await using started = start("native", {}, [tcp]);
  await line(started, 2);
  const upload = await open(tcp.target);
  upload.write("POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nhalf");
  const half = await open(tcp.target);
  half.write("GET / HT");
  const download = await open(tcp.target);
  send(download, "/endless");
  await receive(download, 100_000);
  const waiting = await open(tcp.target);
  send(waiting, "/wait");
  assert.equal(await line(started, 3), "running");
  assert.equal((await get(tcp.target, "/text")).status, 200);
  for (const socket of [upload, half, download, waiting]) reset(socket);
  const lines = () => started.stdout();
  assert.ok(await eventually(() => lines().includes('"aborted"') && lines().includes('"cancelled"')), lines());
  assert.equal((await get(tcp.target, "/text")).status, 200);
  assert.equal(await started.terminate(), 0, started.stderr());
});

/** Connections in every state. */
async function connectAll(started: Started, target: object): Promise<Socket[]> {
  const [idle, running, download, socket] = await Promise.all([1, 2, 3, 4].map(() => open(target)));
  send(running, "/wait");
  assert.equal(await line(started, 3), "running");
  send(download, "/endless");
  await receive(download, 100_000);
  const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
  send(socket, "/ws", ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13", key]);
  assert.match((await receive(socket, 80)).toString(), / 101 /);
  return [idle, running, download, socket];
}

function ended(socket: Socket): Promise<unknown> {
  socket.resume();
  return new Promise((resolve) => socket.once("close", resolve).once("end", resolve).once("error", resolve));
}

for (const late of [false, true]) {
  const when = late ? " while it shuts down" : "";
  onDeno(`serveNative() cuts everything off when its signal aborts${when}`, async () => {
    using tcp = holdTcp();
    await using started = start("native", {}, [tcp]);
    await line(started, 2);
    const ends = (await connectAll(started, tcp.target)).map(ended);
    if (late) {
      process.kill(started.pid, "SIGTERM");
      assert.ok(await eventually(() => !listeningSockets(started.pid).includes(inodeOf(tcp.fd))));
    }
    process.kill(started.pid, "SIGHUP");
    await Promise.all(ends);
    assert.equal(await started.exited, 0, started.stderr());
    assert.equal(Buffer.from(started.stderr()).includes("Uncaught"), false, started.stderr());
  });
}
