import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { serveNative } from "../../runtimes/bun.ts";
import { activate, type ActivateOptions, eventually, type Started } from "../fixtures/activate.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { forgetTable } from "../fixtures/fake_host.ts";
import { ask, http2Get, webSocketEchoes } from "../fixtures/http_client.ts";
import { listeningSockets } from "../fixtures/listening.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

// Other files of the same `bun test` have pretended that descriptors were passed.
forgetTable();

const script = "test/bun/fixtures/serve_native.ts";

function start(held: readonly Held[], options: object = {}, more: Partial<ActivateOptions> = {}): Started {
  const fds = held.map(({ fd }) => fd);
  const args = [JSON.stringify(options), ...(more.args ?? [])];
  return activate({ variant: everything, script, fds, ...more, args });
}

/** What the server said of itself. */
async function told(started: Started): Promise<Record<string, unknown>[]> {
  return JSON.parse(await started.line());
}

const describeTcp = (port: number, protocol = "http") => ({
  port,
  hostname: "127.0.0.1",
  url: `${protocol}://127.0.0.1:${port}/`,
  address: { address: "127.0.0.1", family: "IPv4", port },
  protocol,
});

async function checkServer(held: Held): Promise<void> {
  const get = (path: string) => ask(held.target, { path });
  assert.equal(await get("/there"), "200 fetch /there");
  assert.equal(await get("/static"), "200 static");
  assert.equal(await get("/route/7"), "200 route 7");
  assert.equal(await get("/throw"), "500 error thrown");
  assert.equal(await ask(held.target, { method: "POST", body: "x".repeat(1e6) }), "200 1000000");
  assert.equal(
    await ask(held.target, { path: "/url", headers: { host: "a.example:81" } }),
    "200 http://a.example:81/url",
  );
  assert.equal(await get("/reload"), "200 reloading");
  assert.equal(await get("/there"), "200 reloaded");
}

if (runtime === "Bun") {
  test("serveNative() gives Bun's server on an inherited TCP socket, and listens nowhere else", async () => {
    using held = holdTcp({ backlog: 7 });
    await using started = start([held]);
    assert.deepEqual(await told(started), [describeTcp(held.port)]);
    assert.deepEqual(listeningSockets(started.pid), [`tcp:${held.port}`]);
    assert.match(
      await ask(held.target, { path: "/ip" }),
      /^200 \{"address":"127\.0\.0\.1","family":"IPv4","port":\d+\}$/,
    );
    assert.equal(await ask(held.target, { path: "/server" }), `200 ${JSON.stringify(describeTcp(held.port))}`);
    await checkServer(held);
    assert.equal(held.sendQueue(), 7);
    assert.equal(await started.terminate(), 0, started.stderr());
  });

  test("serveNative() gives Bun's server on an inherited Unix socket, and listens nowhere else", async () => {
    using folder = tempFolder();
    for (const path of [`${folder.path}/s.sk`, `@fd3-test-${folder.path}`]) {
      using held = holdUnix(path, { backlog: 7 });
      const target = { path: path.replace("@", "\0") };
      await using started = start([held]);
      const [server] = await told(started);
      assert.equal(server.address, target.path);
      assert.equal(server.port, undefined);
      if (path.startsWith("/")) assert.equal(server.url, `unix://${path}`);
      else assert.match(server.url as string, /^abstract:\/\/fd3-test-/);
      assert.deepEqual(listeningSockets(started.pid), [path]);
      assert.equal(await ask(target, { path: "/ip" }), "200 null");
      await checkServer({ ...held, target });
      assert.equal(await started.terminate(), 0, started.stderr());
      assert.equal(existsSync(path), path.startsWith("/"));
    }
  });

  test("serveNative() opens the fallback and guards its file", async () => {
    using folder = tempFolder();
    const path = `${folder.path}/own.sk`;
    await using onUnix = start([], { fallback: path, mode: 0o600 });
    await onUnix.line();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(await ask({ path }, { path: "/static" }), "200 static");
    assert.equal(await onUnix.terminate(), 0, onUnix.stderr());
    assert.equal(existsSync(path), false);
    await using onTcp = start([], { fallback: "127.0.0.1:0", port: 1, hostname: "192.0.2.1", unix: "/nowhere" });
    const [{ port }] = await told(onTcp);
    assert.equal(await ask({ host: "127.0.0.1", port }, { path: "/static" }), "200 static");
    assert.deepEqual(listeningSockets(onTcp.pid), [`tcp:${port}`]);
    assert.equal(await onTcp.terminate(), 0, onTcp.stderr());
  });

  test("serveNative() names what is wrong with a fallback", async () => {
    using held = holdTcp();
    const wrong: readonly (readonly [fallback: string, line: string])[] = [
      ["no-such-host.invalid:0", "Fd3Error EIO: Cannot listen on no-such-host.invalid:0: the host is unknown"],
      [
        `localhost:${held.port}`,
        `Fd3Error EADDRINUSE: Cannot listen on localhost:${held.port}: address already in use`,
      ],
      ["192.0.2.1:0", "Fd3Error EADDRNOTAVAIL: Cannot listen on 192.0.2.1:0: cannot assign requested address"],
      ["/no/such/s.sk", "Fd3Error ENOENT: Cannot listen on /no/such/s.sk: no such file or directory"],
    ];
    for (const [fallback, line] of wrong) {
      await using started = start([], { fallback });
      assert.equal(await started.exited, 1);
      assert.equal(started.stderr().trim(), line);
    }
  });

  test("serveNative() shares the port of a fallback with nobody, unless it is told to", async () => {
    await using first = start([], { fallback: "127.0.0.1:0", development: false });
    const [{ port }] = await told(first);
    const fallback = `127.0.0.1:${port}`;
    await using second = start([], { fallback, development: false });
    assert.equal(await second.exited, 1);
    assert.equal(
      second.stderr().trim(),
      `Fd3Error EADDRINUSE: Cannot listen on ${fallback}: address already in use`,
    );
    await using one = start([], { fallback: "127.0.0.1:0", reusePort: true });
    const [shared] = await told(one);
    await using two = start([], { fallback: `127.0.0.1:${shared.port}`, reusePort: true });
    assert.deepEqual(await told(two), [shared]);
  });

  test("serveNative() upgrades to WebSockets", async () => {
    using held = holdTcp();
    await using started = start([held]);
    await started.line();
    await webSocketEchoes(held.port, "/ws", "hello");
    assert.equal(await started.terminate(), 0, started.stderr());
  });

  test("serveNative() serves by TLS, HTTP/1.1, HTTP/2 and WebSockets", needs("openssl"), async () => {
    using folder = tempFolder();
    const args = makeCertificate(folder.path);
    using tcp = holdTcp();
    using unix = holdUnix(`${folder.path}/s.sk`);
    await using started = start([tcp, unix], { names: ["tcp", "unix"], http2: true }, { args, names: "tcp:unix" });
    assert.deepEqual((await told(started))[0], describeTcp(tcp.port, "https"));
    assert.equal(await ask(tcp.target, { path: "/static", secure: true }), "200 static");
    assert.equal(await ask(unix.target, { path: "/static", secure: true }), "200 static");
    assert.equal(await http2Get(tcp.target, "/static"), "static");
    await webSocketEchoes(tcp.port, "/ws", "hello", true);
    assert.equal(await started.terminate(), 0, started.stderr());
  });

  test("serveNative() serves several sockets in one process", async () => {
    using folder = tempFolder();
    using one = holdTcp({ backlog: 7 });
    using two = holdUnix(`${folder.path}/s.sk`, { backlog: 8 });
    using three = holdTcp({ backlog: 9 });
    const names = ["one", "two", "three"];
    for (const variant of [everything, { ...everything, command: [...everything.command, "--hot"] }]) {
      await using started = start([one, two, three], { names }, { names: names.join(":"), variant });
      assert.deepEqual((await told(started)).map(({ url }) => url), [
        `http://127.0.0.1:${one.port}/`,
        `unix://${folder.path}/s.sk`,
        `http://127.0.0.1:${three.port}/`,
      ]);
      for (const { target } of [one, two, three]) assert.equal(await ask(target, { path: "/static" }), "200 static");
      assert.deepEqual([one, two, three].map((held) => held.sendQueue()), [7, 8, 9]);
      assert.equal(await started.terminate(), 0, started.stderr());
    }
  });

  test("serveNative() gives the server that there is, with the new handlers, to what bun --hot evaluates again", async () => {
    using folder = tempFolder();
    using tcp = holdTcp();
    using unix = holdUnix(`${folder.path}/s.sk`);
    const program = `${folder.path}/program.ts`;
    const write = (version: number) => {
      const options = `fetch: () => new Response("version ${version}")`;
      writeFileSync(
        program,
        `import { serveNative } from ${JSON.stringify(new URL("../../runtimes/bun.ts", import.meta.url).href)};
        await serveNative({ name: "tcp", ${options} });
        await serveNative({ name: "unix", ${options} });
        console.log(${version});`,
      );
    };
    write(1);
    const variant = { ...everything, command: [...everything.command, "--hot", "--no-clear-screen", program] };
    await using started = activate({ variant, script: "mod.ts", fds: [tcp.fd, unix.fd], names: "tcp:unix" });
    await started.line();
    write(2);
    assert.ok(await eventually(() => started.stdout().includes("2\n")), started.stderr());
    for (const { target } of [tcp, unix]) assert.equal(await ask(target, {}), "200 version 2");
    assert.deepEqual(listeningSockets(started.pid), [`${folder.path}/s.sk`, `tcp:${tcp.port}`]);
  });

  test("serveNative() refuses HTTP/3 and leaves the descriptor as it was", needs("openssl"), async () => {
    using folder = tempFolder();
    using held = holdTcp({ backlog: 7 });
    await using started = start([held], { http3: true }, { args: makeCertificate(folder.path) });
    assert.equal(await started.exited, 1);
    assert.equal(
      started.stderr().trim(),
      "TypeError undefined: Cannot adopt fd 3 with Bun.serve(): http3 is set, and HTTP/3 needs a datagram socket",
    );
  });

  test("serveNative() leaves the descriptor as it was where Bun refuses the options or no descriptor is free", async () => {
    using held = holdTcp();
    const script = "test/bun/fixtures/serve_twice.ts";
    await using started = activate({ variant: everything, script, fds: [held.fd], before: "ulimit -n 128;" });
    assert.equal(await ask(held.target, {}), "200 third");
    assert.ok(await eventually(() => started.stdout().endsWith("serving\n")));
    const [options, lacking, serving] = started.stdout().split("\n");
    assert.match(options, /^TypeError Bun\.serve\(\) needs either/);
    assert.equal(lacking, "Fd3Error Cannot serve: too many open files; raise LimitNOFILE= (RLIMIT_NOFILE)");
    assert.equal(serving, "serving");
    assert.deepEqual(listeningSockets(started.pid), [`tcp:${held.port}`]);
  });
} else {
  test(`serveNative() of fd3/bun says that this is not Bun (${runtime})`, async () => {
    const options = { fallback: "127.0.0.1:0", fetch: () => new Response("never") };
    const message = `Cannot serve with Bun.serve(): fd3/bun is for Bun, and this is ${runtime}; import "fd3"`;
    await assert.rejects(() => serveNative(options), fd3Error("ERR_FD3_PLATFORM", message));
  });
}
