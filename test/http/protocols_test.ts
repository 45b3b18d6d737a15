// TLS, HTTP/2 and WebSockets, as curl and the package ws speak them, on inherited sockets.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { activate, type Started } from "../fixtures/activate.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { curl, type Transfer } from "./fixtures/curl.ts";
import { WebSocket } from "../fixtures/packages.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

const timeout = 120_000;
const tools = [needs("curl"), needs("openssl")].find(({ skip }) => skip !== false) ?? { skip: false };
const options = { ...tools, timeout };

/** Starts a script on the sockets, and waits until it listens. */
async function start(script: string, args: readonly string[], held: readonly Held[], names?: string): Promise<Started> {
  const fds = held.map(({ fd }) => fd);
  const started = activate({ variant: everything, script, args, fds, names });
  await started.line();
  return started;
}

/** Asks for two paths of https://localhost, whose certificate is looked at. */
function secure(port: number, cert: string, paths: readonly [string, string], more: readonly string[]) {
  const urls = paths.map((path) => `https://localhost:${port}${path}`);
  return curl(["--cacert", cert, "--resolve", `localhost:${port}:127.0.0.1`, ...more, ...urls]);
}

/** What must come on one connection. */
function onOne(version: string, bodies: readonly string[]): Transfer[] {
  return bodies.map((body, i) => ({ status: 200, version, connects: i === 0 ? 1 : 0, body }));
}

test("serve() with tls answers curl, by HTTP/2 where its engine has it", options, async () => {
  using folder = tempFolder();
  const [key, cert] = makeCertificate(folder.path);
  const tls = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  using tcp = holdTcp();
  await using started = await start("test/fixtures/http_daemon.ts", [JSON.stringify({ tls })], [tcp]);
  const { engine } = JSON.parse(await started.line());
  const version = engine === "deno-serve" ? "2" : "1.1";
  const bodies = ["Hello World", "Hello later"];
  for (const [flag, got] of [["--http2", version], ["--http1.1", "1.1"]] as const) {
    assert.deepEqual(await secure(tcp.port, cert, ["/", "/later"], [flag]), onOne(got, bodies));
  }
  assert.equal(await started.terminate(), 0, started.stderr());
});

test("attach() of a secure HTTP/2 server answers curl", options, async () => {
  using folder = tempFolder();
  const [key, cert] = makeCertificate(folder.path);
  using tcp = holdTcp();
  await using started = await start("test/shared/fixtures/attached.ts", ["http2", key, cert], [tcp]);
  const transfers = await secure(tcp.port, cert, ["/one", "/two"], ["--http2"]);
  assert.deepEqual(transfers, onOne("2", ["http2 /one", "http2 /two"]));
  assert.equal(await started.terminate(), 0, started.stderr());
});

test("attach() of an HTTP/2 server without TLS answers curl that knows it", options, async () => {
  using folder = tempFolder();
  const certificate = makeCertificate(folder.path);
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  for (const held of [tcp, unix]) {
    await using started = await start("test/shared/fixtures/attached.ts", ["h2c", ...certificate], [held]);
    const { target } = held;
    const to = "path" in target ? ["--unix-socket", target.path] : [];
    const origin = "path" in target ? "http://localhost" : `http://127.0.0.1:${target.port}`;
    const transfers = await curl([...to, "--http2-prior-knowledge", `${origin}/one`]);
    assert.deepEqual(transfers, onOne("2", ["h2c /one"]));
    assert.equal(await started.terminate(), 0, started.stderr());
  }
});

/** Sends a text and expects its echo, behind what greets it; closes, and gives the code that comes back. */
async function converse(url: string, greetings: readonly string[], echo: string): Promise<number> {
  const socket = new WebSocket(url, { rejectUnauthorized: false });
  const received: string[] = [];
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => socket.send("a text"));
    socket.on("message", (data) => {
      if (received.push(String(data)) > greetings.length) resolve();
    });
  });
  assert.deepEqual(received, [...greetings, echo]);
  socket.close(1000);
  return await closed;
}

async function converseOnBoth(tcp: Held & { port: number }, path: string, rest: [string[], string]): Promise<void> {
  for (const authority of [`ws://127.0.0.1:${tcp.port}`, `ws+unix:${path}:`]) {
    assert.equal(await converse(`${authority}/ws`, ...rest), 1000);
  }
}

async function onDeno(): Promise<void> {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  const names = JSON.stringify([{ name: "tcp" }, { name: "unix" }]);
  await using started = await start("test/deno/fixtures/serve.ts", ["native", names], [tcp, unix], "tcp:unix");
  await converseOnBoth(tcp, `${folder.path}/s.sk`, [[], "echo a text"]);
  assert.equal(await started.terminate(), 0, started.stderr());
}

async function onBun(): Promise<void> {
  using folder = tempFolder();
  const certificate = makeCertificate(folder.path);
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  const names = { names: ["tcp", "unix"] };
  await using started = await start(
    "test/bun/fixtures/serve_native.ts",
    [JSON.stringify(names)],
    [tcp, unix],
    "tcp:unix",
  );
  await converseOnBoth(tcp, `${folder.path}/s.sk`, [["hello"], "a text"]);
  assert.equal(await started.terminate(), 0, started.stderr());
  await using secured = await start("test/bun/fixtures/serve_native.ts", [
    JSON.stringify({ http2: true }),
    ...certificate,
  ], [tcp]);
  assert.equal(await converse(`wss://127.0.0.1:${tcp.port}/ws`, ["hello"], "a text"), 1000);
  const transfers = await secure(tcp.port, certificate[1], ["/static", "/url"], ["--http2"]);
  assert.deepEqual(transfers, onOne("2", ["static", `https://localhost:${tcp.port}/url`]));
  assert.equal(await secured.terminate(), 0, secured.stderr());
}

if (runtime !== "Node") {
  test(
    `serveNative() of fd3/${runtime.toLowerCase()} upgrades the package ws`,
    options,
    { Deno: onDeno, Bun: onBun }[runtime],
  );
}
