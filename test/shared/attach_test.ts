import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { activate, type ActivateOptions, eventually, type Started } from "../fixtures/activate.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { exhaust } from "../fixtures/exhaust.ts";
import { ask, connectMany, countResponses, getRequest, http2Get, openRaw } from "../fixtures/http_client.ts";
import { listeningSockets } from "../fixtures/listening.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

function start(kind: string, held: Held, certificate: string[] = [], more: Partial<ActivateOptions> = {}): Started {
  const args = [kind, "{}", ...certificate];
  return activate({ variant: everything, script: "test/fixtures/attached_http.ts", fds: [held.fd], args, ...more });
}

/** Runs a test on an inherited TCP socket and on a Unix socket. */
async function onBoth(run: (held: Held, path: string | undefined, folder: string) => Promise<void>): Promise<void> {
  using folder = tempFolder();
  const path = `${folder.path}/s.sk`;
  using tcp = holdTcp({ backlog: 7 });
  await run(tcp, undefined, folder.path);
  using unix = holdUnix(path, { backlog: 7 });
  await run(unix, path, folder.path);
  assert.ok(existsSync(path));
}

const getters: Record<string, (target: object, path: string) => Promise<string>> = {
  http: (target, path) => ask(target, { path }),
  https: (target, path) => ask(target, { path, secure: true }),
  http2: async (target, path) => `200 ${await http2Get(target, path)}`,
  h2c: async (target, path) => `200 ${await http2Get(target, path, false)}`,
};

/** What `server.address()` is: Node and Deno do not know the path of a Unix socket that they did not bind. */
function expectedAddress(path: string | undefined, port: number): unknown {
  if (path !== undefined) return runtime === "Bun" ? path : null;
  return { address: "127.0.0.1", family: "IPv4", port };
}

async function checkAttached(kind: string, held: Held, path: string | undefined, certificate: string[]): Promise<void> {
  await using started = start(kind, held, certificate);
  const { port = 0 } = held.target as { port?: number };
  const { address, server, listening } = JSON.parse(await started.line());
  const get = (url: string) => getters[kind](held.target, url);
  assert.deepEqual(
    address,
    path === undefined ? { transport: "tcp", hostname: "127.0.0.1", port } : { transport: "unix", path },
  );
  assert.deepEqual(server, expectedAddress(path, port));
  assert.equal(listening, true);
  // No more than this listens, and nothing else was seen by those who were told.
  assert.deepEqual(listeningSockets(started.pid), [path ?? `tcp:${port}`]);
  const said = /^listening at (.*)\n/m;
  assert.ok(await eventually(() => said.test(started.stderr())));
  const heard = JSON.parse(said.exec(started.stderr())![1]);
  assert.deepEqual(heard, server);
  assert.equal(await get("/there"), `200 ${kind} /there`);
  if (path === undefined) {
    const { remotePort, ...ends } = JSON.parse((await get("/ends")).slice("200 ".length));
    assert.deepEqual(ends, { remoteAddress: "127.0.0.1", localAddress: "127.0.0.1", localPort: port });
    assert.ok(remotePort > 0 && remotePort !== port);
  }
  assert.equal(held.sendQueue(), 7);
  assert.equal(await started.terminate(), 0, started.stderr());
  assert.match(started.stdout(), /\nclosed null false\n$/);
}

for (const kind of ["http", "https", "http2", "h2c"]) {
  test(
    `attach() makes a ${kind} server listen on the inherited socket and nowhere else (${runtime})`,
    needs("openssl"),
    () =>
      onBoth(async (held, path, folder) => {
        await checkAttached(kind, held, path, makeCertificate(folder));
      }),
  );
}

test(`attach() leaves "upgrade" to the server (${runtime})`, () =>
  onBoth(async (held) => {
    await using started = start("http", held);
    await started.line();
    const client = await openRaw(held.target);
    client.socket.write(getRequest("/", "Connection: Upgrade\r\nUpgrade: echo\r\n"));
    assert.ok(await eventually(() => client.text().includes("\r\n\r\n")));
    client.socket.write("over the wire");
    assert.ok(await eventually(() => client.text().endsWith("\r\n\r\nover the wire")), client.text());
    client.socket.destroy();
    assert.equal(await started.terminate(), 0, started.stderr());
  }));

test(`close() of an attached server leaves the queue to the next instance (${runtime})`, () =>
  onBoth(async (held) => {
    await using first = start("http", held);
    await first.line();
    const slow = ask(held.target, { path: "/slow" });
    // Bun's close() resets who has not been read from.
    assert.ok(await eventually(() => first.stdout().endsWith("\nslow\n")));
    assert.equal(await ask(held.target, { path: "/close" }), `200 {"address":null,"listening":false}`);
    const [next] = await connectMany(held.target, 1, getRequest("/next"));
    assert.equal(await slow, "200 slow");
    // Nothing of it keeps the process.
    assert.equal(await first.exited, 0, first.stderr());
    assert.equal(next.text(), "");
    await using second = start("http", held);
    assert.ok(await eventually(() => countResponses(next.text()) === 1), second.stderr());
    next.socket.destroy();
    assert.equal(await second.terminate(), 0, second.stderr());
  }));

test(`attach() serves clients that were queued before it (${runtime})`, async () => {
  using held = holdTcp({ backlog: 256 });
  const clients = await connectMany(held.target, 200, getRequest("/early"));
  await using started = start("http", held);
  const answered = () => clients.filter((client) => countResponses(client.text()) === 1).length;
  assert.ok(await eventually(() => answered() === 200, 30_000), `${answered()} of 200: ${started.stderr()}`);
  clients.forEach(({ socket }) => socket.destroy());
  assert.equal(await started.terminate(), 0, started.stderr());
});

if (runtime === "Bun") {
  for (const kind of ["http", "h2c"]) {
    test(`attach() neither spins nor fails when descriptors run out, with a ${kind} server (${runtime})`, async () => {
      using held = holdTcp({ backlog: 256 });
      await using started = start(kind, held, [], { before: "ulimit -n 64;" });
      await started.line();
      await exhaust(started, held.target, kind === "http" ? getRequest("/there") : undefined);
      assert.equal(await getters[kind](held.target, "/there"), `200 ${kind} /there`);
    });
  }
}
