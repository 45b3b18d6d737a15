import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { acceptedSockets } from "../../src/linux/accepted.ts";
import { F_DUPFD_CLOEXEC } from "../../src/linux/constants.ts";
import { maybeShakingHands } from "../../src/linux/handshake.ts";
import { describe } from "../../src/linux/socket.ts";
import { findSocket } from "../../src/linux/transplant.ts";
import { findRegistration } from "../../src/linux/epoll.ts";
import { cut, withdraw } from "../../src/linux/withdraw.ts";
import type { Address } from "../../src/types.ts";
import { eventually } from "../fixtures/activate.ts";
import { open, receive } from "../fixtures/client.ts";
import { libc, runtime } from "../fixtures/runtime.ts";

test(`withdraw() takes a listening socket away from a server that does not notice (${runtime})`, async () => {
  const c = libc();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address: Address = {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: (server.address() as { port: number }).port,
  };
  const target = { host: address.hostname, port: address.port };
  const fd = findSocket(c, address);
  const held = c.fcntl(fd, F_DUPFD_CLOEXEC, 3);
  // Node and Bun watch it from the next turn of their loop.
  (await open(target)).destroy();
  withdraw(c, findRegistration(c, fd));
  const kind = describe(c, fd);
  assert.ok(kind.is === "socket" && kind.listening && kind.address?.transport === "unix", JSON.stringify(kind));
  assert.match(kind.address.path, /^@fd3-[0-9a-f-]{36}$/);
  let accepted = false;
  server.on("connection", () => accepted = true);
  // In the queue of the socket that we hold.
  const waiting = (await open(target)).on("error", () => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(accepted, false);
  c.close(held);
  await assert.rejects(open(target), { code: "ECONNREFUSED" });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  waiting.destroy();
  assert.equal(describe(c, fd).is, "closed");
});

test(`cut() ends a connection, and maybeShakingHands() finds it while its data are young (${runtime})`, async () => {
  const c = libc();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const client = await open({ host: "127.0.0.1", port });
  const socket = await accepted;
  const fds = () => acceptedSockets(c, { transport: "tcp", hostname: "127.0.0.1", port });
  assert.equal(fds().length, 1);
  socket.resume();
  // Where the machine is busy they may be old before anybody looks.
  let found: readonly number[] = [];
  assert.ok(await eventually(() => (client.write("x"), found = maybeShakingHands(c, fds())).length > 0));
  assert.deepEqual(found, fds());
  assert.ok(await eventually(() => maybeShakingHands(c, fds()).length === 0));
  assert.equal(fds().length, 1);
  cut(c, fds()[0]);
  assert.equal((await receive(client)).length, 0);
  client.destroy();
  socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
