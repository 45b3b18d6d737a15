import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { acceptedSockets } from "../src/linux/accepted.ts";
import { F_DUPFD_CLOEXEC } from "../src/linux/constants.ts";
import { maybeShakingHands } from "../src/linux/handshake.ts";
import { describe, localAddress } from "../src/linux/socket.ts";
import { cut, withdraw } from "../src/linux/withdraw.ts";
import { eventually } from "./fixtures/activate.ts";
import { open, receive } from "./fixtures/client.ts";
import { libc, runtime } from "./fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "./fixtures/sockets.ts";

test(`withdraw() puts a socket that nobody reaches in a listening one's place (${runtime})`, async () => {
  const c = libc();
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`);
  using tcp = holdTcp();
  for (const held of [unix, tcp]) {
    const before = localAddress(c, held.fd);
    const other = c.fcntl(held.fd, F_DUPFD_CLOEXEC, 3);
    withdraw(c, other);
    const kind = describe(c, other);
    assert.ok(kind.is === "socket" && kind.listening && kind.address?.transport === "unix", JSON.stringify(kind));
    assert.match(kind.address.path, /^@fd3-[0-9a-f-]{36}$/);
    assert.deepEqual(localAddress(c, held.fd), before);
    (await open(held.target)).destroy();
    c.close(other);
  }
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
  const found = new Promise<number[]>((resolve) => socket.once("data", () => resolve(maybeShakingHands(c, fds()))));
  client.write("x");
  assert.deepEqual(await found, fds());
  assert.ok(await eventually(() => maybeShakingHands(c, fds()).length === 0));
  assert.equal(fds().length, 1);
  cut(c, fds()[0]);
  assert.equal((await receive(client)).length, 0);
  client.destroy();
  socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
