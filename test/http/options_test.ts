import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { serve } from "../../mod.ts";
import { activate, eventually, type Started } from "../fixtures/activate.ts";
import { makeCertificate, makeTls } from "../fixtures/certificate.ts";
import { type DaemonOptions, engines, places, startServer } from "../fixtures/engines.ts";
import { ask } from "../fixtures/http_client.ts";
import { listeningSockets } from "../fixtures/listening.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

const script = "test/fixtures/http_daemon.ts";

/** Starts the daemon without a socket, with every permission. */
function start(options: DaemonOptions): Started {
  return activate({ variant: everything, script, args: [JSON.stringify(options)] });
}

for (const engine of engines[everything.name]) {
  test(`serve() opens a fallback port, and no other (${engine} on ${runtime})`, async () => {
    await using started = start({ engine, fallback: "127.0.0.1:0" });
    const { address, activated, name, engine: real } = JSON.parse(await started.line());
    assert.deepEqual({ activated, name, real }, { activated: false, name: undefined, real: engine });
    const target = { host: "127.0.0.1", port: address.port };
    assert.deepEqual(listeningSockets(started.pid), [`tcp:${address.port}`]);
    assert.equal(await ask(target, { path: "/url" }), `200 http://127.0.0.1:${address.port}/url`);
    await using second = start({ engine, fallback: `127.0.0.1:${address.port}` });
    assert.equal(await second.exited, 1);
    const text = `Fd3Error EADDRINUSE: Cannot listen on 127.0.0.1:${address.port}: address already in use`;
    assert.equal(second.stderr().trim(), text);
    assert.equal(await started.terminate(), 0, started.stderr());
  });

  test(`serve() opens a fallback path, sets its mode, and deletes it (${engine} on ${runtime})`, async () => {
    using folder = tempFolder();
    const path = `${folder.path}/own.sk`;
    // A dead socket file is in the way.
    holdUnix(path)[Symbol.dispose]();
    await using started = start({ engine, fallback: path, mode: 0o600 });
    assert.deepEqual(JSON.parse(await started.line()).address, { transport: "unix", path });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(await ask({ path }), "200 Hello World");
    assert.deepEqual(listeningSockets(started.pid), [path]);
    await using second = start({ engine, fallback: path });
    assert.equal(await second.exited, 1);
    assert.equal(second.stderr().trim(), `Fd3Error EADDRINUSE: Cannot listen on ${path}: address already in use`);
    assert.equal(await started.terminate(), 0, started.stderr());
    assert.equal(existsSync(path), false);
  });

  test(`serve() serves https on an inherited port (${engine} on ${runtime})`, needs("openssl"), async () => {
    using folder = tempFolder();
    using held = holdTcp();
    const place = { variant: everything, engine, name: "" };
    await using started = await startServer(place, [held.fd], { tls: makeTls(folder.path) });
    assert.deepEqual(listeningSockets(started.pid), [`tcp:${held.port}`]);
    assert.equal(await ask(held.target, { path: "/url", secure: true }), `200 https://127.0.0.1:${held.port}/url`);
    const slow = ask(held.target, { path: "/slow?500", secure: true });
    const idle = ask(held.target, { path: "/later", secure: true });
    assert.equal(await idle, "200 Hello later");
    assert.ok(await eventually(() => started.stderr().includes("slow began")), started.stderr());
    const ended = started.terminate();
    assert.equal(await slow, "200 slow and whole");
    assert.equal(await ended, 0, started.stderr());
    assert.doesNotMatch(started.stderr(), /Error/);
  });

  test(`serve() puts the socket back where it failed (${engine} on ${runtime})`, needs("openssl"), async () => {
    using folder = tempFolder();
    const pem = makeCertificate(folder.path).map((file) => readFileSync(file, "utf8"));
    using tcp = holdTcp();
    using unix = holdUnix(`${folder.path}/s.sk`);
    for (const held of [tcp, unix]) {
      const args = [engine, ...pem];
      const again = "test/http/fixtures/serve_again.ts";
      await using started = activate({ variant: everything, script: again, args, fds: [held.fd] });
      await started.line();
      const told = started.stderr().trim().split("\n");
      assert.deepEqual(told.slice(0, 3), [
        "TypeError: Cannot serve: tls.cert is not a certificate in PEM",
        "TypeError: Cannot serve: tls.key is not a private key in PEM",
        "TypeError: Cannot serve: tls.key is not the key of tls.cert",
      ]);
      assert.equal(await ask(held.target), "200 served");
      assert.equal(listeningSockets(started.pid).length, 1);
      assert.equal(await started.terminate(), 0, started.stderr());
    }
  });
}

for (const place of places) {
  test(`serve() gives requests that go where others of their class go (${place.name})`, async () => {
    using held = holdTcp();
    const { variant, engine } = place;
    // It asks itself.
    const command = runtime === "Deno" ? [...variant.command, "--allow-net"] : variant.command;
    const script = "test/http/fixtures/request_classes.ts";
    await using started = activate({ variant: { ...variant, command }, script, args: [engine], fds: [held.fd] });
    await started.line();
    const post = { method: "POST", body: "posted", headers: { "x-own": "kept" } };
    assert.deepEqual(JSON.parse((await ask(held.target, { ...post, path: "/ask" })).slice(4)), {
      untouched: runtime !== "Node",
      isRequest: true,
      isResponse: true,
      writable: true,
      copied: "b",
      cloned: "posted",
      wrapped: "posted",
    });
    assert.equal(await ask(held.target, { ...post, path: "/early" }), "200 early");
    assert.equal(await ask(held.target, { ...post, path: "/forward" }), "200 got posted kept");
    assert.equal(await ask(held.target, { ...post, path: "/direct" }), "200 got posted kept");
  });
}

test(`serve() serves https on an inherited Unix socket (${runtime})`, needs("openssl"), async () => {
  using folder = tempFolder();
  using held = holdUnix(`${folder.path}/s.sk`);
  const args = [JSON.stringify({ tls: makeTls(folder.path) })];
  await using started = activate({ variant: everything, script, args, fds: [held.fd] });
  // Deno.serve() cannot.
  const engine = runtime === "Bun" ? "bun-serve" : "node-http";
  assert.equal(JSON.parse(await started.line()).engine, engine);
  assert.equal(
    await ask(held.target, { path: "/url", secure: true, headers: { host: "a.example" } }),
    "200 https://a.example/url",
  );
  assert.deepEqual(listeningSockets(started.pid), [`${folder.path}/s.sk`]);
  assert.equal(await started.terminate(), 0, started.stderr());
});

test(`serve() says why an engine of another runtime cannot be had (${runtime})`, async () => {
  const has = engines[everything.name];
  for (const engine of ["deno-serve", "bun-serve"] as const) {
    if (has.includes(engine)) continue;
    await using started = start({ engine, fallback: "127.0.0.1:0" });
    assert.equal(await started.exited, 1);
    const text = `Fd3Error ERR_FD3_PLATFORM: Cannot serve with ${engine}: ${runtime} has ${has.join(" and ")}`;
    assert.equal(started.stderr().trim(), text);
  }
});

test(`serve() ends with its block (${runtime})`, async () => {
  const heard: unknown[] = [];
  const onListen = (address: unknown) => void heard.push(address);
  let target = {};
  {
    await using server = await serve(() => new Response("hello"), { fallback: "127.0.0.1:0", onListen });
    assert.equal(server.engine, engines[everything.name][0]);
    assert.deepEqual(heard, [server.address]);
    assert.ok(server.address.transport === "tcp");
    target = { host: "127.0.0.1", port: server.address.port };
    assert.equal(await ask(target), "200 hello");
  }
  await assert.rejects(ask(target), /ECONNREFUSED|Unable to connect|refused/i);
});
