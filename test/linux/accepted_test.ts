import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { acceptedSockets, isWildcard, readableSockets, unreadSockets } from "../../src/linux/accepted.ts";
import { recentLook } from "../../src/linux/look.ts";
import { SOCK_DGRAM } from "../../src/linux/constants.ts";
import type { Address } from "../../src/types.ts";
import { eventually } from "../fixtures/activate.ts";
import { open } from "../fixtures/client.ts";
import { tcpSocket } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";
import { libc, runtime } from "../fixtures/runtime.ts";
import { holdTcp, tempFolder } from "../fixtures/sockets.ts";

/** A server that reads nothing until it is told to. */
async function listenPaused(where: object): Promise<{ server: Server; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(where, resolve));
  return { server, sockets };
}

function close(server: Server, sockets: Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}

test(`acceptedSockets() finds the connections of a listener and no other socket (${runtime})`, async () => {
  const one = await listenPaused({ host: "127.0.0.1", port: 0 });
  const two = await listenPaused({ host: "127.0.0.1", port: 0 });
  const at = ({ server }: typeof one): Address => {
    const { address, port } = server.address() as AddressInfo;
    return { transport: "tcp", hostname: address, port };
  };
  const { port } = one.server.address() as AddressInfo;
  assert.deepEqual(acceptedSockets(libc(), at(one)), []);
  const clients = [await open({ host: "127.0.0.1", port }), await open({ host: "127.0.0.1", port })];
  assert.ok(await eventually(() => one.sockets.length === 2));
  assert.equal(acceptedSockets(libc(), at(one)).length, 2);
  assert.deepEqual(acceptedSockets(libc(), at(two)), []);
  assert.equal(acceptedSockets(libc(), { transport: "tcp", hostname: "0.0.0.0", port }).length, 2);
  assert.deepEqual(acceptedSockets(libc(), { transport: "tcp", hostname: "127.0.0.2", port }), []);
  clients.forEach((client) => client.destroy());
  await close(one.server, one.sockets);
  assert.deepEqual(acceptedSockets(libc(), { transport: "tcp", hostname: "127.0.0.1", port }), []);
  await close(two.server, two.sockets);
});

test(`acceptedSockets() leaves a datagram socket of the same address alone, as DNS has one (${runtime})`, async () => {
  const { server, sockets } = await listenPaused({ host: "127.0.0.1", port: 0 });
  const { port } = server.address() as AddressInfo;
  using datagrams = holdTcp({ type: SOCK_DGRAM, port });
  const client = await open({ host: "127.0.0.1", port });
  assert.ok(await eventually(() => sockets.length === 1));
  const accepted = acceptedSockets(libc(), { transport: "tcp", hostname: "127.0.0.1", port });
  assert.ok(accepted.length === 1 && !accepted.includes(datagrams.fd), String(accepted));
  client.destroy();
  await close(server, sockets);
});

test(`recentLook() is one look for many listeners, and a new one after 5 ms or as long as it took (${runtime})`, () => {
  const [kernel, listeners] = [new FakeKernel(), 50];
  for (let i = 0; i < listeners; i++) {
    kernel.put(10 + 2 * i, tcpSocket(1000 + 2 * i, 8000 + i));
    kernel.put(11 + 2 * i, tcpSocket(1001 + 2 * i, 8000 + i, 1, false));
  }
  let now = 0;
  const counted = (look: () => number[]) => {
    kernel.calls.length = 0;
    const found = look();
    return [found, kernel.calls.filter((call) => call.startsWith("getsockname(")).length];
  };
  const at = (i: number): Address => ({ transport: "tcp", hostname: "127.0.0.1", port: 8000 + i });
  const look = (i: number) => counted(() => acceptedSockets(kernel.libc, at(i), recentLook(kernel.libc, () => now)));
  const all = 125;
  assert.deepEqual(look(0), [[11], all]);
  now = 5;
  for (let i = 1; i < listeners; i++) assert.deepEqual(look(i), [[11 + 2 * i], 0]);
  // Without one it is a look of now.
  assert.deepEqual(counted(() => acceptedSockets(kernel.libc, at(0))), [[11], all]);
  kernel.put(200, tcpSocket(2000, 8000, 1, false));
  assert.deepEqual(look(0), [[11], 0]);
  now = 5.1;
  assert.deepEqual(look(0), [[11, 200], 253]);
  now = 20;
  // Each question about the time is 7 ms later.
  recentLook(kernel.libc, () => now += 7);
  now += 7;
  assert.deepEqual(look(0), [[11, 200], 0]);
  now += 0.1;
  assert.deepEqual(look(0), [[11, 200], 253]);
});

test(`unreadSockets() counts who has sent nothing, and what nobody has read (${runtime})`, async () => {
  const { server, sockets } = await listenPaused({ host: "127.0.0.1", port: 0 });
  const { port } = server.address() as AddressInfo;
  const listener: Address = { transport: "tcp", hostname: "127.0.0.1", port };
  const clients = [await open({ host: "127.0.0.1", port }), await open({ host: "127.0.0.1", port })];
  assert.ok(await eventually(() => sockets.length === 2));
  const count = () => {
    const fds = acceptedSockets(libc(), listener);
    return [unreadSockets(libc(), fds), readableSockets(libc(), fds).length];
  };
  assert.deepEqual(count(), [2, 0]);
  clients[0].write("a request");
  assert.ok(await eventually(() => count()[1] === 1));
  assert.deepEqual(count(), [2, 1]);
  for (const socket of sockets) socket.resume();
  assert.ok(await eventually(() => count()[0] === 1), String(count()));
  assert.deepEqual(count(), [1, 0]);
  clients.forEach((client) => client.destroy());
  await close(server, sockets);
});

test(`acceptedSockets() finds the connections of a Unix listener (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/s.sk`;
  const { server, sockets } = await listenPaused({ path });
  const listener: Address = { transport: "unix", path };
  assert.equal(isWildcard(listener), false);
  const client = await open({ path });
  assert.ok(await eventually(() => sockets.length === 1));
  const [fd, ...others] = acceptedSockets(libc(), listener);
  assert.deepEqual(others, []);
  assert.deepEqual(readableSockets(libc(), [fd]), []);
  client.write("a request");
  assert.ok(await eventually(() => readableSockets(libc(), [fd]).length === 1));
  assert.deepEqual(readableSockets(libc(), [fd, 60_000]), [fd]);
  client.destroy();
  await close(server, sockets);
});
