import assert from "node:assert/strict";
import { connect } from "node:net";
import process from "node:process";
import type { Started } from "../fixtures/activate.ts";
import { makeTls } from "../fixtures/certificate.ts";
import { open, openTls, receive } from "../fixtures/client.ts";
import { answerOf, get, inodeOf, listeningSockets, send } from "../fixtures/http.ts";
import { line, onDeno, start } from "./fixtures/on_deno.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const close = "connection: close";

onDeno("stopAccepting() leaves who was not accepted to the next instance, and goes on with who was", async () => {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  for (const held of [tcp, unix]) {
    await using started = start("engine", {}, [held]);
    const accepted = await open(held.target);
    send(accepted, "/text");
    await receive(accepted, 1000);
    const unread = await open(held.target);
    await get(held.target, "/text");
    process.kill(started.pid, "SIGUSR1");
    assert.equal(await line(started, 2), "stopped");
    assert.equal(listeningSockets(started.pid).includes(inodeOf(held.fd)), false);
    const waiting = await open(held.target);
    send(waiting, "/next", [close]);
    send(accepted, "/a", [close]);
    send(unread, "/b", [close]);
    const answers = [await answerOf(accepted), await answerOf(unread)];
    assert.deepEqual(answers.map(({ body }) => JSON.parse(body).url.slice(-2)), ["/a", "/b"]);
    assert.equal(await started.terminate(), 0, started.stderr());
    await using next = start("engine", {}, [held]);
    assert.equal(JSON.parse((await answerOf(waiting)).body).url, "http://example.com/next");
    assert.equal(await next.terminate(), 0, next.stderr());
    for (const socket of [accepted, unread, waiting]) socket.destroy();
  }
});

onDeno("stopAccepting() refuses who comes to the fallback", async () => {
  await using started = start("engine", { fallback: "127.0.0.1:0" });
  const { address } = await line(started, 1);
  const target = { host: "127.0.0.1", port: address.port };
  const accepted = await open(target);
  await get(target, "/text");
  process.kill(started.pid, "SIGUSR1");
  assert.equal(await line(started, 2), "stopped");
  await assert.rejects(open(target), { code: "ECONNREFUSED" });
  send(accepted, "/text", [close]);
  assert.equal((await answerOf(accepted)).status, 200);
  assert.equal(await started.terminate(), 0, started.stderr());
});

/** Asks the engine until it counts so much. */
async function counts(started: Started, expected: Record<string, number>): Promise<void> {
  // deno-lint-ignore no-explicit-any
  let found: any;
  for (let i = 0; i < 100; i++) {
    const next = started.stdout().split("\n").length;
    process.kill(started.pid, "SIGUSR2");
    found = await line(started, next);
    if (Object.entries(expected).every(([name, count]) => found[name] === count)) return;
    await sleep(50);
  }
  assert.deepEqual(found, expected);
}

onDeno("denoServe counts connections, and those on which nothing came yet", async () => {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  await using started = start("engine", {}, [tcp]);
  await line(started, 1);
  await counts(started, { unread: 0, connections: 0 });
  const [silent, talking] = [await open(tcp.target), await open(tcp.target)];
  send(talking, "/text");
  await receive(talking, 1000);
  await counts(started, { unread: 1, connections: 2 });
  silent.destroy();
  await counts(started, { unread: 0, connections: 1 });
  talking.destroy();
  await counts(started, { unread: 0, connections: 0 });
  await using other = start("engine", {}, [unix]);
  await line(other, 1);
  const client = await open(unix.target);
  await counts(other, { connections: 1 });
  client.destroy();
  await counts(other, { connections: 0 });
});

onDeno("stopAccepting() stops amid a burst, and nobody of it is lost", async () => {
  using folder = tempFolder();
  using tcp = holdTcp({ backlog: 1024 });
  using unix = holdUnix(`${folder.path}/s.sk`, { backlog: 1024 });
  for (const held of [tcp, unix]) {
    const clients = await Promise.all(Array.from({ length: 600 }, () => open(held.target)));
    clients.forEach((client, i) => send(client, i === 0 ? "/stop" : "/text", [close]));
    let here = 0;
    const answers = clients.map(async (client) => {
      const { status } = await answerOf(client, 60_000);
      if (started.child.exitCode === null) here++;
      return status;
    });
    await using started = start("engine", {}, [held]);
    assert.equal(await line(started, 2), "stopped");
    // Whoever was accepted had sent the request before: all of those are answered when no connection is left.
    await counts(started, { connections: 0 });
    assert.equal(await started.terminate(), 0, started.stderr());
    assert.ok(here < clients.length, `all ${here} were accepted`);
    await using next = start("engine", {}, [held]);
    assert.deepEqual(new Set(await Promise.all(answers)), new Set([200]));
    for (const client of clients) client.destroy();
    assert.equal(await next.terminate(), 0, next.stderr());
  }
});

onDeno("denoServe counts who has shaken hands as unread until that asks", async () => {
  using folder = tempFolder();
  const tls = makeTls(folder.path);
  using tcp = holdTcp();
  await using started = start("engine", { tls }, [tcp]);
  await line(started, 1);
  const silent = connect(tcp.target as { port: number });
  await counts(started, { unread: 1, connections: 1 });
  const secure = await openTls(tcp.target);
  await counts(started, { unread: 2, connections: 2 });
  silent.destroy();
  await counts(started, { unread: 1, connections: 1 });
  send(secure, "/text");
  await counts(started, { unread: 0, connections: 1 });
  secure.destroy();
}, needs("openssl"));
