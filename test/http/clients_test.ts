// Clients that people use, at serve() on inherited sockets.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { activate } from "../fixtures/activate.ts";
import { curl } from "./fixtures/curl.ts";
import { Agent, Client } from "../fixtures/packages.ts";
import { runtime, variants } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

const script = "test/fixtures/http_daemon.ts";
const timeout = 120_000;
const json = JSON.stringify({ text: "söme text", list: [1, 2, 3] });
const large = "0123456789abcdef".repeat(1 << 16);
type Target = Held["target"];

/** The origin that a client is told, and curl's options for the rest. */
function originOf(target: Target): string {
  return "path" in target ? "http://localhost" : `http://127.0.0.1:${target.port}`;
}

async function askByCurl(target: Target, isHttp2: boolean): Promise<void> {
  const origin = originOf(target);
  const to = "path" in target ? ["--unix-socket", target.path] : [];
  const kept = [{ status: 200, version: "1.1", connects: 1, body: "Hello World" }];
  kept.push({ ...kept[0], connects: 0, body: "Hello later" });
  assert.deepEqual(await curl([...to, "--http1.1", `${origin}/`, `${origin}/later`]), kept);
  const [posted] = await curl([...to, "--json", json, `${origin}/echo`]);
  assert.deepEqual(JSON.parse(posted.body), JSON.parse(json));
  // Of an unknown length, so in chunks, and after `Expect: 100-continue`.
  const [put] = await curl([...to, "--upload-file", "-", `${origin}/count`], large);
  assert.deepEqual([put.status, put.body], [200, String(large.length)]);
  if (!isHttp2) return;
  // Once: curl 7.88 does not get a second response on such a connection, from no server.
  const known = await curl([...to, "--http2-prior-knowledge", `${origin}/`]);
  assert.deepEqual(known, [{ ...kept[0], version: "2" }]);
}

/** What undici's Client and Agent have in common. */
interface Undici {
  request(options: object): Promise<{ statusCode: number; body: { text(): Promise<string> } }>;
  close(): Promise<void>;
}

async function askByUndici(target: Target): Promise<void> {
  const origin = originOf(target);
  const socketPath = "path" in target ? target.path : undefined;
  const agent = new Agent({ pipelining: 1, connections: 1, connect: { socketPath } });
  const client = new Client(origin, { pipelining: 1, socketPath });
  const ports = new Set<number | undefined>();
  for (const dispatcher of [client, agent] as Undici[]) {
    const ask = async (path: string, method = "GET", body?: string) => {
      const answer = await dispatcher.request({ origin, path, method, body });
      return `${answer.statusCode} ${await answer.body.text()}`;
    };
    for (const _ of [1, 2]) ports.add(JSON.parse((await ask("/info")).slice(4))[0].port);
    const answers = await Promise.all([
      ask("/"),
      ask("/later"),
      ask("/echo", "POST", json),
      ask("/count", "PUT", large),
    ]);
    assert.deepEqual(answers.slice(0, 2), ["200 Hello World", "200 Hello later"]);
    assert.deepEqual(JSON.parse(answers[2].slice(4)), JSON.parse(json));
    assert.equal(answers[3], `200 ${large.length}`);
    await dispatcher.close();
  }
  // Each kept its one connection.
  assert.equal(ports.size, "path" in target ? 1 : 2, [...ports].join());
}

async function askByFetch(target: Target): Promise<void> {
  // Of the runtimes' own only Bun's goes to a Unix socket.
  if ("path" in target && runtime !== "Bun") return;
  const origin = originOf(target);
  const to = "path" in target ? { unix: target.path } as RequestInit : {};
  const hello = await fetch(`${origin}/`, to);
  assert.equal(await hello.text(), "Hello World");
  const echoed = await fetch(`${origin}/echo`, { ...to, method: "POST", body: json });
  assert.deepEqual(await echoed.json(), JSON.parse(json));
  const given = await fetch(`${origin}/give?4`, to);
  assert.equal((await given.arrayBuffer()).byteLength, 4 << 20);
}

for (const variant of variants) {
  const start = ({ fd }: Held) => activate({ variant, script, fds: [fd] });
  const both = async (check: (target: Target, engine: string) => Promise<void>) => {
    using folder = tempFolder();
    using unix = holdUnix(`${folder.path}/s.sk`);
    using tcp = holdTcp();
    await Promise.all([unix, tcp].map(async (held) => {
      await using started = start(held);
      await check(held.target, JSON.parse(await started.line()).engine);
      assert.equal(await started.terminate(), 0, started.stderr());
    }));
  };

  test(
    `serve() answers curl, undici and fetch (${variant.name})`,
    { ...needs("curl"), timeout },
    () =>
      both(async (target, engine) => {
        await askByCurl(target, engine === "deno-serve");
        await askByUndici(target);
        await askByFetch(target);
      }),
  );
}

for (const variant of variants) {
  test(`serve() answers wrk, and breaks no connection of it (${variant.name})`, needs("wrk"), async () => {
    using held = holdTcp();
    await using started = activate({ variant, script, fds: [held.fd] });
    await started.line();
    const args = ["-t1", "-c32", "-d2s", `http://127.0.0.1:${held.port}/`];
    const { stdout } = await promisify(execFile)("wrk", args, { timeout });
    assert.match(stdout, /^ +[1-9]\d* requests in /m);
    assert.doesNotMatch(stdout, /Socket errors|Non-2xx/, stdout);
    assert.equal(await started.terminate(), 0, started.stderr());
  });
}
