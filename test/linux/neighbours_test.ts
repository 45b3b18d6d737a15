// What has the address of a server and is not the server's: a datagram socket, and a connection of an earlier listener.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { readableSockets } from "../../src/linux/accepted.ts";
import { SOCK_DGRAM } from "../../src/linux/constants.ts";
import type { EngineName } from "../../src/http/types.ts";
import { activate, eventually, type Started } from "../fixtures/activate.ts";
import { echoes, open, receive } from "../fixtures/client.ts";
import { engines } from "../fixtures/engines.ts";
import { ask, getRequest } from "../fixtures/http_client.ts";
import { everything, libc, runtime } from "../fixtures/runtime.ts";
import { freePort, type Held, holdTcp, tempFolder } from "../fixtures/sockets.ts";

/** A server of DNS has both on one port. */
async function withDns(
  options: object,
  check: (tcp: Held, started: Started, udp: Held & { port: number }) => Promise<void>,
): Promise<void> {
  using tcp = holdTcp();
  using udp = holdTcp({ type: SOCK_DGRAM, port: tcp.port });
  const script = "test/linux/fixtures/neighbour_daemon.ts";
  const fds = [tcp.fd, udp.fd];
  await using started = activate({
    variant: everything,
    script,
    args: [JSON.stringify(options)],
    fds,
    names: "web:dns",
  });
  await started.line();
  await check(tcp, started, udp);
}

/** Whether a datagram socket that we share with the service is as it was: one that was shut down is readable for ever, and gives nothing. */
async function gets(udp: Held & { port: number }, text: string): Promise<boolean> {
  assert.deepEqual(readableSockets(libc(), [udp.fd]), []);
  const client = createSocket("udp4");
  await new Promise<void>((resolve, reject) =>
    client.send(text, udp.port, "127.0.0.1", (error) => error ? reject(error) : resolve())
  );
  client.close();
  assert.ok(await eventually(() => readableSockets(libc(), [udp.fd]).length === 1));
  const bytes = new Uint8Array(64);
  const length = libc().read(udp.fd, bytes, bytes.length);
  return new TextDecoder().decode(bytes.subarray(0, Math.max(length, 0))) === text;
}

async function stopsAlone(engine: EngineName): Promise<void> {
  await withDns({ engine, drainTimeout: 200 }, async (tcp, started, udp) => {
    const client = await open(tcp.target);
    client.on("error", () => {});
    client.write(getRequest("/hang"));
    assert.ok(await eventually(() => started.stderr().includes("hang began")), started.stderr());
    await started.terminate();
    client.destroy();
    assert.ok(await gets(udp, `after ${engine}`));
  });
}

async function endsIdle(engine: EngineName): Promise<void> {
  await withDns({ engine, idleTimeout: 200 }, async (tcp, started) => {
    // It may have ended before that is asked: then it is not answered.
    await Promise.race([ask(tcp.target), started.exited]);
    assert.equal(await started.exited, 0, started.stderr());
  });
}

async function earlierLives(engine: EngineName, target: object, address: string): Promise<void> {
  const options = JSON.stringify({ engine, drainTimeout: 200 });
  const script = "test/linux/fixtures/earlier_connection.ts";
  await using started = activate({ variant: everything, script, args: [address, options] });
  const says = (text: string) => eventually(() => started.stdout().includes(`${text}\n`));
  assert.ok(await says("listening"), started.stderr());
  const earlier = await open(target);
  await echoes(earlier, "earlier");
  assert.ok(await says("serving"), started.stderr());
  const client = await open(target);
  client.on("error", () => {});
  const ended = receive(client).catch(() => {});
  client.write(getRequest("/"));
  assert.ok(await says("stopped"), started.stderr());
  await ended;
  await echoes(earlier, "still here");
  earlier.destroy();
  client.destroy();
}

for (const engine of engines[everything.name]) {
  const on = `${engine}, ${runtime}`;
  test(`a server that is cut off leaves the datagram socket of its port alone (${on})`, () => stopsAlone(engine));

  test(`a daemon ends when nobody is there, whatever datagram socket has its port (${on})`, () => endsIdle(engine));

  test(`a server that is cut off leaves a connection of an earlier listener alone (${on})`, async () => {
    const port = freePort();
    await earlierLives(engine, { host: "127.0.0.1", port }, `127.0.0.1:${port}`);
    using folder = tempFolder();
    const path = `${folder.path}/s.sk`;
    await earlierLives(engine, { path }, path);
  });
}
