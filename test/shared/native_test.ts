import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { request } from "node:http";
import { request as secureRequest } from "node:https";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import { attach } from "../../mod.ts";
import { forgetTable } from "../fixtures/fake_host.ts";
import { activate } from "../fixtures/activate.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { echoOnce, open, receive } from "../fixtures/client.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { needs } from "../fixtures/tools.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

// Other files of the same `bun test` have pretended that descriptors were passed.
forgetTable();

function body(target: object, secure: boolean): Promise<string> {
  const { path: socketPath, ...rest } = target as { path?: string };
  return new Promise((resolve, reject) => {
    const options = { ...rest, socketPath, path: "/hello", agent: false as const, rejectUnauthorized: false };
    const sent = (secure ? secureRequest : request)(options, (response) => {
      let text = "";
      response.on("data", (chunk) => text += chunk).on("end", () => resolve(`${response.statusCode} ${text}`));
    });
    sent.on("error", reject).end();
  });
}

function http2Body(target: object): Promise<string> {
  const { port } = target as { port: number };
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    session.on("error", reject);
    const stream = session.request({ ":path": "/hello" });
    let text = "";
    stream.setEncoding("utf8");
    stream.on("error", reject).on("data", (chunk: string) => text += chunk).on("end", () => {
      session.close();
      resolve(`200 ${text}`);
    }).end();
  });
}

function tlsLine(target: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...target, rejectUnauthorized: false });
    let text = "";
    socket.on("error", reject).on("data", (chunk) => text += chunk).on("end", () => resolve(text));
    socket.write("hello");
  });
}

/** Attaches a server of a kind to a socket of a kind, in another process, and asks it. */
async function attached(kind: string, held: Held, certificate: string[]): Promise<void> {
  const script = "test/shared/fixtures/attached.ts";
  await using started = activate({
    variant: everything,
    script,
    args: [kind, ...certificate],
    fds: [held.fd],
    names: "web",
  });
  const told = JSON.parse(await started.line());
  assert.deepEqual({ ...told, server: undefined, address: undefined }, {
    activated: true,
    fds: [{ fd: 3, name: "web" }],
    name: "web",
    server: undefined,
    address: undefined,
  });
  const { path, port } = held.target as { path?: string; port?: number };
  assert.equal(told.address.port ?? told.address.path, port ?? path);
  if (port !== undefined) assert.equal(told.server.port, port);
  if (kind === "net") {
    const socket = await open(held.target);
    assert.equal((await receive(socket, 5)).toString(), "hello");
    socket.destroy();
  } else if (kind === "http") assert.equal(await body(held.target, false), "200 http /hello");
  else if (kind === "https") assert.equal(await body(held.target, true), "200 https /hello");
  else if (kind === "tls") assert.equal(await tlsLine(held.target), "tls hello");
  else assert.equal(await http2Body(held.target), "200 http2 /hello");
  assert.equal(held.sendQueue(), 7, kind);
  assert.equal(await started.terminate(), 0, started.stderr());
}

for (const kind of ["net", "http", "https", "http2", "tls"]) {
  test(
    `attach() makes a server of node:${kind} listen on the inherited socket (${runtime})`,
    needs("openssl"),
    async () => {
      using folder = tempFolder();
      const certificate = makeCertificate(folder.path);
      using tcp = holdTcp({ backlog: 7 });
      await attached(kind, tcp, certificate);
      if (kind === "http2") return;
      const path = `${folder.path}/s.sk`;
      using unix = holdUnix(path, { backlog: 7 });
      if (kind !== "https" && kind !== "tls") await attached(kind, unix, certificate);
      assert.ok(existsSync(path));
    },
  );
}

test(`attach() opens the fallback and guards its file (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/own.sk`;
  const { createServer } = await import("node:http");
  const server = createServer((incoming, response) => response.end(`http ${incoming.url}`));
  const where = await attach(server, { fallback: path, mode: 0o600 });
  const { address, activated, name } = where;
  assert.deepEqual({ address, activated, name }, {
    address: { transport: "unix", path },
    activated: false,
    name: undefined,
  });
  assert.equal(await body({ path }, false), "200 http /hello");
  await new Promise<void>((resolve) => server.close(() => resolve()));
  assert.equal(existsSync(path), false);
});

test(`attach() rejects what is no server (${runtime})`, async () => {
  await assert.rejects(() => attach({} as never), TypeError);
});

test(`listenNative() gives the runtime's own listener (${runtime})`, async () => {
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`, { backlog: 7 });
  using tcp = holdTcp({ backlog: 7 });
  for (const held of [unix, tcp]) {
    await using started = activate({ variant: everything, script: "test/shared/fixtures/native.ts", fds: [held.fd] });
    const told = JSON.parse(await started.line());
    if (runtime === "Node") {
      assert.equal(told.none, true);
      continue;
    }
    const { path, port } = held.target as { path?: string; port?: number };
    assert.equal(told.port ?? told.path, port ?? path);
    await echoOnce(held.target, "native");
    assert.equal(held.sendQueue(), 7);
    assert.equal(await started.terminate(), 0, started.stderr());
    await echoAfter(held);
  }
});

/** The next instance can use the socket that the native listener closed. */
async function echoAfter(held: Held): Promise<void> {
  await using next = activate({ variant: everything, script: "test/fixtures/daemon.ts", fds: [held.fd] });
  await echoOnce(held.target, "next");
  assert.equal(await next.terminate(), 0, next.stderr());
}
