import assert from "node:assert/strict";
import { existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { attach, Fd3Error, listen, type Listener } from "../../mod.ts";
import { chooseFallback } from "../../src/activation/fallback.late.ts";
import { variable } from "../../src/notify/manager.ts";
import { forgetTable } from "../fixtures/fake_host.ts";
import { activate, eventually } from "../fixtures/activate.ts";
import { echoOnce, open, receive } from "../fixtures/client.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { listeningSockets } from "../fixtures/listening.ts";
import { withEnv } from "../fixtures/notify_host.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";

// Other files of the same `bun test` have pretended that descriptors were passed.
forgetTable();

async function serveEcho(listener: Listener): Promise<void> {
  for await (const connection of listener) {
    connection.forEach((chunk) => connection.write(chunk)).catch(() => {}).finally(() => connection.close());
  }
}

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof Fd3Error, String(error));
    return `${error.code}: ${error.message}`;
  }
  return assert.fail("it did not throw");
}

test(`listen() opens each kind of fallback and says where (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/own.sk`;
  const cases = [
    { fallback: "127.0.0.1:0" },
    { fallback: { hostname: "127.0.0.1", port: 0 } },
    { fallback: "[::1]:0" },
    { fallback: path },
    { fallback: { path } },
    { fallback: `@fd3-test-${Date.now()}` },
  ];
  for (const options of cases) {
    const listener = await listen(options);
    const served = serveEcho(listener);
    assert.equal(listener.activated, false);
    assert.equal(listener.name, undefined);
    const { address } = listener;
    const target = address.transport === "tcp"
      ? { host: address.hostname, port: address.port }
      : { path: (address as { path: string }).path.replace(/^@/, "\0") };
    // Bun's node:net cannot connect to an abstract name, and Deno's neither: there the address must do.
    if (!(target.path ?? "").startsWith("\0")) await echoOnce(target, JSON.stringify(options));
    await listener.close();
    await served;
    assert.equal(existsSync(path), false);
  }
});

test(`listen() sets the mode of its socket file (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/own.sk`;
  await using _listener = await listen({ fallback: path, mode: 0o640 });
  assert.equal(statSync(path).mode & 0o7777, 0o640);
});

test(`listen() replaces a dead socket file (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/dead.sk`;
  holdUnix(path)[Symbol.dispose]();
  assert.ok(existsSync(path));
  const listener = await listen({ fallback: path });
  const served = serveEcho(listener);
  await echoOnce({ path }, "alive");
  await listener.close();
  await served;
  assert.equal(existsSync(path), false);
});

test(`listen() never replaces a live socket, nor what is none (${runtime})`, async () => {
  using folder = tempFolder();
  const [path, file] = [`${folder.path}/live.sk`, `${folder.path}/file`];
  {
    using _held = holdUnix(path);
    assert.equal(
      await code(listen({ fallback: path })),
      `EADDRINUSE: Cannot listen on ${path}: address already in use`,
    );
    assert.ok(existsSync(path));
  }
  writeFileSync(file, "mine");
  assert.equal(await code(listen({ fallback: file })), `EADDRINUSE: Cannot listen on ${file}: address already in use`);
  assert.equal(statSync(file).size, 4);
});

test(`listen() names what is wrong with a fallback (${runtime})`, async () => {
  const first = await listen({ fallback: "127.0.0.1:0" });
  assert.ok(first.address.transport === "tcp");
  const taken = `127.0.0.1:${first.address.port}`;
  assert.equal(
    await code(listen({ fallback: taken })),
    `EADDRINUSE: Cannot listen on ${taken}: address already in use`,
  );
  await first.close();
  const nowhere = "/nonexistent-fd3/x.sk";
  assert.equal(
    await code(listen({ fallback: nowhere })),
    `ENOENT: Cannot listen on ${nowhere}: no such file or directory`,
  );
  assert.equal(
    await code(listen({ fallback: "192.0.2.1:0" })),
    "EADDRNOTAVAIL: Cannot listen on 192.0.2.1:0: cannot assign requested address",
  );
});

test(`close() keeps a socket file that somebody else put in place of ours (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/s.sk`;
  const listener = await listen({ fallback: path });
  renameSync(path, `${path}.old`);
  using _other = holdUnix(path);
  const inode = statSync(path).ino;
  await listener.close();
  assert.equal(statSync(path).ino, inode);
});

test(`close() ends the iteration and can be called twice (${runtime})`, async () => {
  const listener = await listen({ fallback: "127.0.0.1:0" });
  const served = serveEcho(listener);
  await Promise.all([listener.close(), listener.close()]);
  await served;
  await listener.close();
});

test(`foobard opens its own address where it got none (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/foobar.sk`;
  await using started = activate({ variant: everything, script: "examples/foobard.ts", args: [path] });
  // Not until the file is there: it is bound before it listens.
  assert.ok(await eventually(() => listeningSockets(started.pid).includes(path)), started.stderr());
  await echoOnce({ path }, "hello world");
  assert.equal(await started.terminate(), 0, started.stderr());
  assert.equal(existsSync(path), false);
});

test(`close() leaves the socket file of the next instance, also when called again (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/s.sk`;
  const { createServer } = await import("node:net");
  const server = createServer();
  await attach(server, { fallback: path });
  server.close();
  using _next = holdUnix(path);
  server.close();
  assert.ok(existsSync(path));
});

test(`close() ends connections that nobody asked for (${runtime})`, async () => {
  const listener = await listen({ fallback: "127.0.0.1:0" });
  assert.ok(listener.address.transport === "tcp");
  const { hostname: host, port } = listener.address;
  const sockets = await Promise.all([open({ host, port }), open({ host, port })]);
  for await (const connection of listener) {
    await connection.close();
    break;
  }
  const ended = sockets.map((socket) => receive(socket).catch(() => {}));
  await listener.close();
  await Promise.all(ended);
  for (const socket of sockets) socket.destroy();
});

test(`"unsupervised" knows a service also when NOTIFY_SOCKET has left the environment (${runtime})`, () => {
  const host = withEnv({ NOTIFY_SOCKET: "/run/none" });
  const choose = () => chooseFallback(host, { fallback: "127.0.0.1:0", fallbackFor: "unsupervised" });
  const refused = fd3Error("ERR_FD3_NO_FDS", /: NOTIFY_SOCKET is set; /);
  assert.throws(choose, refused);
  assert.equal(variable(host, "NOTIFY_SOCKET"), "/run/none");
  assert.equal(host.env("NOTIFY_SOCKET"), undefined);
  assert.throws(choose, refused);
  assert.equal(chooseFallback(withEnv({}), { fallback: "127.0.0.1:0", fallbackFor: "unsupervised" }).transport, "tcp");
});
