import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { Clients } from "../../src/linux/clients.ts";
import { SOCK_DGRAM } from "../../src/linux/constants.ts";
import { Look, recentLook } from "../../src/linux/look.ts";
import type { Address } from "../../src/types.ts";
import { eventually } from "../fixtures/activate.ts";
import { echoes, open, receive } from "../fixtures/client.ts";
import { tcpSocket } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";
import { libc, runtime } from "../fixtures/runtime.ts";
import { freePort, holdTcp, tempFolder } from "../fixtures/sockets.ts";

/** A listener in this process that echoes. Closing it leaves its connections alone. */
async function listen(where: object): Promise<{ accepted: Socket[]; connect(): Promise<Socket>; close(): void }> {
  const accepted: Socket[] = [];
  const server: Server = createServer((socket) => {
    accepted.push(socket.on("error", () => {}));
    socket.on("data", (data) => socket.write(data));
  });
  await new Promise<void>((resolve) => server.listen(where, resolve));
  return {
    accepted,
    async connect() {
      const client = await open(where);
      await echoes(client, "hello");
      return client;
    },
    close: () => void server.close(),
  };
}

async function oneAfterTheOther(where: object, address: Address): Promise<void> {
  const first = await listen(where);
  const earlier = await first.connect();
  first.close();

  const clients = new Clients(libc(), address);
  const now = () => clients.sockets(new Look(libc()));
  assert.deepEqual(now(), []);
  const second = await listen(where);
  const own = [await second.connect(), await second.connect()];
  assert.equal(now().length, 2);
  clients.complete();
  second.close();

  const third = await listen(where);
  const later = await third.connect();
  assert.equal(now().length, 2);
  assert.equal(new Clients(libc(), address).sockets(new Look(libc())).length, 0);
  const ended = own.map((client) => receive(client));
  clients.cut();
  for (const received of await Promise.all(ended)) assert.equal(received.length, 0);
  assert.ok(await eventually(() => now().length === 0));
  await echoes(earlier, "still here");
  await echoes(later, "here, too");

  for (const client of [earlier, later, ...own]) client.destroy();
  for (const socket of [...first.accepted, ...second.accepted, ...third.accepted]) socket.destroy();
  third.close();
}

test(`Clients are those of one server of several that have an address one after the other, TCP (${runtime})`, async () => {
  const port = freePort();
  await oneAfterTheOther({ host: "127.0.0.1", port }, { transport: "tcp", hostname: "127.0.0.1", port });
});

test(`Clients are those of one server of several that have an address one after the other, Unix (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/s.sk`;
  await oneAfterTheOther({ path }, { transport: "unix", path });
});

test(`Clients know earlier ones of a server whose host is a name or all addresses (${runtime})`, async () => {
  const port = freePort();
  const first = await listen({ host: "127.0.0.1", port });
  const earlier = await first.connect();
  for (const hostname of ["localhost", "0.0.0.0", "127.0.0.1"]) {
    const clients = new Clients(libc(), { transport: "tcp", hostname, port });
    clients.listener = { transport: "tcp", hostname: "127.0.0.1", port };
    assert.deepEqual(clients.sockets(new Look(libc())), [], hostname);
  }
  // Where there can be none, nobody looks.
  const known = new Clients(libc(), { transport: "tcp", hostname: "127.0.0.1", port }, true);
  assert.equal(known.sockets(new Look(libc())).length, 1);
  earlier.destroy();
  first.accepted.forEach((socket) => socket.destroy());
  first.close();
});

test(`Clients have no datagram socket among them (${runtime})`, async () => {
  const port = freePort();
  const server = await listen({ host: "127.0.0.1", port });
  const clients = new Clients(libc(), { transport: "tcp", hostname: "127.0.0.1", port });
  using datagrams = holdTcp({ type: SOCK_DGRAM, port });
  const client = await server.connect();
  const found = clients.sockets(new Look(libc()));
  assert.equal(found.length, 1);
  assert.ok(!found.includes(datagrams.fd));
  client.destroy();
  server.accepted.forEach((socket) => socket.destroy());
  server.close();
});

test(`once complete() was called, a look from before it counts no more (${runtime})`, () => {
  const kernel = new FakeKernel();
  const address: Address = { transport: "tcp", hostname: "127.0.0.1", port: 8000 };
  kernel.put(3, tcpSocket(100, 8000));
  const clients = new Clients(kernel.libc, address, true);
  const look = () => recentLook(kernel.libc, () => 0);
  assert.deepEqual(clients.sockets(look()), []);
  // It is accepted, and the next look would be the same for some milliseconds more.
  kernel.put(4, tcpSocket(101, 8000, 1, false));
  assert.deepEqual(clients.sockets(look()), []);
  clients.complete();
  assert.deepEqual(clients.sockets(look()), [4]);
});
