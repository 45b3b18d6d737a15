import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { serveNative } from "../../runtimes/deno.ts";
import { activate } from "../fixtures/activate.ts";
import { echoOnce, open } from "../fixtures/client.ts";
import { get, inodeOf, listeningSockets, raw } from "../fixtures/http.ts";
import { addressOf, inform, line, onDeno, start } from "./fixtures/on_deno.ts";
import { everything } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

onDeno("serveNative() gives Deno's server the inherited address, and prints no line of its own", async () => {
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`, { backlog: 7 });
  using tcp = holdTcp({ backlog: 7 });
  for (const held of [tcp, unix]) {
    await using started = start("native", {}, [held]);
    const address = addressOf(held);
    assert.deepEqual(await line(started, 1), { told: address });
    assert.deepEqual(await line(started, 2), { addr: address });
    const { url, cloned, remote } = await inform(held.target, "/a?b=c");
    assert.equal(url, held === tcp ? "http://example.com/a?b=c" : "http+unix://example.com/a?b=c");
    assert.equal(cloned, url);
    if (held === unix) assert.deepEqual(remote, address);
    else assert.deepEqual([remote.transport, remote.hostname], ["tcp", "127.0.0.1"]);
    assert.deepEqual(listeningSockets(started.pid), [inodeOf(held.fd)]);
    assert.equal(held.sendQueue(), 7);
    assert.equal(await started.terminate(), 0, started.stderr());
    assert.equal(started.stdout().split("\n").length, 3, started.stdout());
    assert.equal(existsSync(`${folder.path}/s.sk`), true);
    await using next = activate({ variant: everything, script: "test/fixtures/daemon.ts", fds: [held.fd] });
    await echoOnce(held.target, "next");
    assert.equal(await next.terminate(), 0, next.stderr());
  }
});

onDeno("denoServe is an engine on the inherited socket", async () => {
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`, { backlog: 7 });
  using tcp = holdTcp({ backlog: 7 });
  for (const held of [tcp, unix]) {
    await using started = start("engine", {}, [held]);
    const address = addressOf(held);
    assert.deepEqual(await line(started, 1), { address, name: "deno-serve" });
    const { url, cloned, remote, local } = await inform(held.target, "/a?b=c");
    assert.equal(url, "http://example.com/a?b=c");
    assert.equal(cloned, url);
    assert.deepEqual(local, address);
    if (held === unix) assert.deepEqual(remote, { transport: "unix", path: "" });
    else assert.deepEqual([remote.transport, remote.hostname], ["tcp", "127.0.0.1"]);
    assert.deepEqual(listeningSockets(started.pid), [inodeOf(held.fd)]);
    assert.equal(held.sendQueue(), 7);
    assert.equal(await started.terminate(), 0, started.stderr());
  }
});

/** A path as Deno has it in the URL of a request that names no authority. */
function encoded(path: string): string {
  return path.replace(/[^a-z0-9]/gi, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

onDeno("request.url has the inherited address where the client names none", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/s-1.sk`;
  using unix = holdUnix(path);
  using tcp = holdTcp();
  const rows: [Held, "native" | "engine", string][] = [
    [tcp, "native", `http://localhost:${tcp.port}/a`],
    [tcp, "engine", `http://localhost:${tcp.port}/a`],
    [unix, "native", `http+unix://${encoded(path)}/a`],
    [unix, "engine", "http://localhost/a"],
  ];
  for (const [held, mode, expected] of rows) {
    await using started = start(mode, {}, [held]);
    const urlOf = async (request: string) => JSON.parse((await raw(held.target, request)).body).url;
    assert.equal(await urlOf("GET /a HTTP/1.0\r\n\r\n"), expected);
    const full = "GET http://abs.example:7/a HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n";
    assert.equal(await urlOf(full), "http://abs.example:7/a");
    assert.equal(await started.terminate(), 0, started.stderr());
  }
});

onDeno("request.url of denoServe on a Unix socket takes no more than an authority from the Host header", async () => {
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`);
  await using started = start("engine", {}, [unix]);
  const rows = [
    ["example.com:81", "/a//b?c=/d", "http://example.com:81/a//b?c=/d"],
    ["x/y?z", "/a?b", "http://localhost/a?b"],
    ["user@x", "/", "http://localhost/"],
    ["", "/a", "http://localhost/a"],
    ["[::1]:80", "/a", "http://[::1]:80/a"],
  ];
  for (const [host, path, url] of rows) {
    const request = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
    assert.equal(JSON.parse((await raw(unix.target, request)).body).url, url, host);
  }
  assert.equal(await started.terminate(), 0, started.stderr());
});

onDeno("denoServe tells which of all addresses a client came to", async () => {
  await using started = start("engine", { fallback: "[::]:0" });
  const { address } = await line(started, 1);
  const { port } = address;
  assert.equal(address.hostname, "::");
  const v4 = await inform({ host: "127.0.0.1", port });
  assert.deepEqual(v4.local, { transport: "tcp", hostname: "::ffff:127.0.0.1", port });
  assert.equal(v4.remote.hostname, "::ffff:127.0.0.1");
  const v6 = await inform({ host: "::1", port });
  assert.deepEqual(v6.local, { transport: "tcp", hostname: "::1", port });
  assert.equal(await started.terminate(), 0, started.stderr());
});

onDeno("serveNative() serves several sockets in one process", async () => {
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`);
  using first = holdTcp();
  using second = holdTcp();
  const held = [first, unix, second];
  const options = [{ name: "b" }, { name: "a" }, { name: "a", zero: true }];
  await using started = start("native", options, held, { names: "a:b:a" });
  await line(started, 6);
  assert.deepEqual(listeningSockets(started.pid).sort(), held.map(({ fd }) => inodeOf(fd)).sort());
  assert.equal((await inform(first.target)).url, "http://example.com/");
  assert.equal((await inform(unix.target)).url, "http+unix://example.com/");
  assert.equal((await get(second.target)).body, "zero");
  assert.equal(await started.terminate(), 0, started.stderr());
});

onDeno("serveNative() lets the process end after unref()", async () => {
  using tcp = holdTcp();
  for (const options of [{}, { fallback: "127.0.0.1:0" }]) {
    await using started = start("native", { ...options, idle: true }, "fallback" in options ? [] : [tcp]);
    assert.equal(await started.exited, 0, started.stderr());
    assert.match(started.stdout(), /"addr"/);
  }
});

onDeno("serveNative() gives a server that `await using` ends", async () => {
  let target: object;
  {
    await using server = await serveNative({ fallback: "127.0.0.1:0" }, () => new Response("here"));
    target = { host: "127.0.0.1", port: server.addr.port };
    assert.equal((await get(target)).body, "here");
  }
  await assert.rejects(open(target), { code: "ECONNREFUSED" });
});
