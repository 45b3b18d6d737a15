import assert from "node:assert/strict";
import { comesToRest } from "../fixtures/cpu.ts";
import { ask, type Client, open, until } from "./clients.ts";
import { cpuSeconds, eachVariant, property, setUp, type Stage } from "./variants.ts";

eachVariant("http", {
  "the unit files pass systemd-analyze verify": verify,
  "the first request starts the service as shipped": firstRequest,
  "the service as shipped serves on a Unix socket, too": unixSocket,
  "http.ts refuses three sockets": threeSockets,
  "a server without free descriptors neither dies nor spins": exhausted,
});

async function verify({ lab }: Stage): Promise<void> {
  const result = await lab.run(["systemd-analyze", "verify", "http.socket", "http.service"]);
  assert.deepEqual(result, { status: 0, stdout: "", stderr: "" });
}

function engineOf({ runtime, ffi }: Stage["variant"]): string {
  return ffi && runtime !== "node" ? `${runtime}-serve` : "node-http";
}

async function firstRequest(stage: Stage): Promise<void> {
  const { lab, variant } = stage;
  await lab.must(["systemctl", "start", "http.socket"]);
  assert.equal(await property(stage, "http.service", "ActiveState"), "inactive");
  const curl = ["curl", "--silent", "--show-error", "--max-time", "20"];
  assert.equal(await lab.must([...curl, "http://127.0.0.1:8080/"]), "Hello World");
  assert.deepEqual(JSON.parse(await lab.must([...curl, "http://127.0.0.1:8080/about"])), {
    engine: engineOf(variant),
    activated: true,
    address: { transport: "tcp", hostname: "127.0.0.1", port: 8080 },
  });
  const pid = await property(stage, "http.service", "MainPID");
  assert.equal(await lab.must(["readlink", `/proc/${pid}/exe`]), `${variant.executable}\n`);
  // It has no network of its own, and in the one of its socket nothing else listens.
  const network = (who: string) => lab.must(["readlink", `/proc/${who}/ns/net`]);
  assert.notEqual(await network(pid), await network("1"));
  const inside = ["nsenter", "-t", pid, "-n", "ss", "-Hltnx"];
  assert.deepEqual((await lab.must(inside)).split("\n").filter((line) => line.includes("LISTEN")), []);
}

const request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

async function unixSocket(stage: Stage): Promise<void> {
  await setUp(stage, { socket: ["ListenStream=", "ListenStream=/run/http.sk"] });
  assert.match(await ask(stage.path, request), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n(b\r\n)?Hello World/);
}

async function threeSockets(stage: Stage): Promise<void> {
  await setUp(stage, { socket: ["ListenStream=/run/http.sk", "ListenStream=[::1]:7003"] });
  await stage.lab.must(["systemctl", "start", "--no-block", "http.service"]);
  await until("it fails", async () => await property(stage, "http.service", "ActiveState") === "failed");
  assert.equal(await property(stage, "http.service", "ExecMainStatus"), "1");
  assert.match(await stage.lab.journal("http.service"), /^Too many file descriptors received$/m);
}

const kept = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
const isServed = ({ received }: Client) => received.includes("Hello World");

async function exhausted(stage: Stage): Promise<void> {
  const { variant, path } = stage;
  await setUp(stage, {
    service: ["LimitNOFILE=64"],
    socket: ["ListenStream=", "ListenStream=/run/http.sk"],
  });
  const clients = await Promise.all(Array.from({ length: 100 }, () => open(path)));
  for (const client of clients) client.send(kept);
  await until("somebody is served", () => clients.some(isServed));
  const pid = await property(stage, "http.service", "MainPID");
  await comesToRest(() => cpuSeconds(stage, "http.service"));
  // node:http on Deno does not accept again after a failure, and says nothing.
  if (variant.ffi) {
    await Promise.all(clients.map(async (client) => {
      await until("it is served, or closed", () => client.ended || isServed(client), 30_000);
      // Each that leaves makes room for one that waits.
      client[Symbol.dispose]();
    }));
    assert.match(await ask(path, request), /Hello World/);
  }
  for (const client of clients) client[Symbol.dispose]();
  assert.equal(await property(stage, "http.service", "MainPID"), pid);
  assert.equal(await property(stage, "http.service", "ActiveState"), "active");
}
