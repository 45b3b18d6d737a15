// Servers on inherited sockets in a sandbox in which no socket can be opened, so that there is no placeholder for them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { activate, type ActivateOptions, eventually, type Started } from "../fixtures/activate.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { exhaust } from "../fixtures/exhaust.ts";
import { ask, connectMany, countResponses, getRequest, http2Get, openRaw } from "../fixtures/http_client.ts";
import { everything, projectFile, runtime } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

/** Starts a program so on a socket of each kind, and has it looked at. */
async function inSandbox(
  options: Pick<ActivateOptions, "script" | "args" | "before">,
  check: (held: Held, started: Started) => Promise<void>,
): Promise<void> {
  using folder = tempFolder();
  const sandbox = `${folder.path}/without_sockets`;
  execFileSync("cc", ["-Wall", "-Wextra", "-o", sandbox, projectFile("test/shared/fixtures/without_sockets.c")]);
  using tcp = holdTcp({ backlog: 128 });
  using unix = holdUnix(`${folder.path}/s.sk`, { backlog: 128 });
  for (const held of [tcp, unix]) {
    const how = `exec ${sandbox} "$@"`;
    await using started = activate({ variant: everything, fds: [held.fd], names: "web", how, ...options });
    await started.line();
    await check(held, started);
  }
}

const serving = { script: "test/fixtures/http_daemon.ts", args: ["{}"] };
const attached = (kind: string, certificate: readonly string[] = []) => ({
  script: "test/fixtures/attached_http.ts",
  args: [kind, "{}", ...certificate],
});

const warnings = ({ stderr }: Started) => stderr().match(/^(?:<4>)?fd3: .*which is slower.*$/gm) ?? [];

async function drains(held: Held, started: Started): Promise<void> {
  assert.equal(JSON.parse(await started.line()).engine, "node-http");
  const told = warnings(started);
  assert.equal(told.length, runtime === "Node" ? 0 : 1, started.stderr());
  for (const line of told) assert.match(line, /RestrictAddressFamilies=/);
  const [idle] = await connectMany(held.target, 1, getRequest("/"));
  assert.ok(await eventually(() => countResponses(idle.text()) === 1));
  const slow = ask(held.target, { path: "/slow?300" });
  assert.ok(await eventually(() => started.stderr().includes("slow began")), started.stderr());
  // It has been accepted, and asks when the server stops.
  const late = await openRaw(held.target);
  late.socket.write("GET / HTTP/1.1\r\nHo");
  assert.equal(await ask(held.target), "200 Hello World");
  const stopped = started.terminate();
  assert.ok(await eventually(() => started.stderr().includes("stopping")));
  late.socket.write("st: example\r\n\r\n");
  assert.equal(await slow, "200 slow and whole");
  assert.ok(await eventually(() => countResponses(late.text()) === 1), late.text());
  assert.equal(await stopped, 0, started.stderr());
  idle.socket.destroy();
}

test(
  `serve() drains where no socket can be opened, and says once if that is slow (${runtime})`,
  needs("cc", "gcc"),
  () => inSandbox(serving, drains),
);

const ways: Record<string, (target: object) => Promise<string>> = {
  http: (target) => ask(target, { path: "/there" }),
  h2c: async (target) => `200 ${await http2Get(target, "/there", false)}`,
};

for (const [kind, get] of Object.entries(ways)) {
  test(
    `attach() makes a ${kind} server listen where no socket can be opened (${runtime})`,
    needs("cc", "gcc"),
    () =>
      inSandbox(attached(kind), async (held, started) => {
        const { address, server, listening } = JSON.parse(await started.line());
        const port = "port" in held.target ? held.target.port : undefined;
        const path = "path" in held.target ? held.target.path : undefined;
        assert.equal(port === undefined ? address.path : address.port, port ?? path);
        // Node and Deno do not know the path of a Unix socket that they did not bind.
        const unix = runtime === "Bun" ? path : null;
        assert.deepEqual(server, port === undefined ? unix : { address: "127.0.0.1", family: "IPv4", port });
        assert.equal(listening, true);
        assert.equal(await get(held.target), `200 ${kind} /there`);
        const [idle] = await connectMany(held.target, 1, kind === "http" ? getRequest("/there") : "");
        if (kind === "http") assert.ok(await eventually(() => countResponses(idle.text()) === 1));
        else idle.socket.destroy();
        assert.equal(await started.terminate(), 0, started.stderr());
        assert.match(started.stdout(), /\nclosed null false\n$/);
        idle.socket.destroy();
        // Of a Unix socket it cannot be read there, and becomes the longest.
        assert.ok(held.sendQueue() >= 128 && (port === undefined || held.sendQueue() === 128), `${held.sendQueue()}`);
      }),
  );
}

function onBun(): void {
  test("serve() neither spins nor fails where no socket can be opened and the descriptors run out (Bun)", async () => {
    await inSandbox({ ...serving, before: "ulimit -n 64;" }, async (held, started) => {
      await exhaust(started, held.target, getRequest("/"));
      assert.equal(await ask(held.target), "200 Hello World");
    });
  });

  test("attach() says what the sandbox must allow for a server with TLS (Bun)", async () => {
    using folder = tempFolder();
    const certificate = makeCertificate(folder.path);
    for (const kind of ["https", "http2"]) {
      await assert.rejects(
        inSandbox(attached(kind, certificate), () => Promise.resolve()),
        /Cannot open a placeholder with Bun's server; where RestrictAddressFamilies= is set, it must name AF_INET, AF_INET6 and AF_UNIX/,
      );
    }
  });
}

if (runtime === "Bun") onBun();
