import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { isWildcard } from "../../src/linux/accepted.ts";
import { localEnd } from "../../src/linux/peers.ts";
import type { TcpAddress } from "../../src/types.ts";
import { eventually } from "../fixtures/activate.ts";
import { open } from "../fixtures/client.ts";
import { countingLibc } from "./fixtures/counting_libc.ts";
import { libc, runtime } from "../fixtures/runtime.ts";

/** The client's end as a server on `::` sees it. */
const peerOf = ({ localAddress, localPort }: Socket): TcpAddress => ({
  transport: "tcp",
  hostname: localAddress!.includes(":") ? localAddress! : `::ffff:${localAddress}`,
  port: localPort!,
});

/** A server on all addresses that keeps what it accepts, and its clients. */
async function crowd(host: string) {
  const accepted = new Set<Socket>();
  const server = createServer((socket) => {
    accepted.add(socket.on("close", () => accepted.delete(socket)).on("error", () => {}));
  });
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve));
  const { port } = server.address() as AddressInfo;
  const listener: TcpAddress = { transport: "tcp", hostname: host, port };
  // A client of 127.0.0.1 may have the port of one of ::1.
  const isHere = ({ hostname, port }: TcpAddress) =>
    [...accepted].some(({ remoteAddress, remotePort }) => remoteAddress === hostname && remotePort === port);
  return {
    listener,
    /** Connects, and gives the client once it was accepted. */
    async connect(at: string): Promise<Socket> {
      const client = await open({ host: at, port });
      assert.ok(await eventually(() => isHere(peerOf(client))));
      return client;
    },
    async leave(client: Socket): Promise<void> {
      const peer = peerOf(client);
      client.destroy();
      assert.ok(await eventually(() => !isHere(peer)));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const socket of accepted) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test(`localEnd() tells which of all addresses a client came to (${runtime})`, async () => {
  await using server = await crowd("::");
  const { listener, connect } = server;
  assert.equal(isWildcard(listener), true);
  for (const [host, hostname] of [["::1", "::1"], ["127.0.0.1", "::ffff:127.0.0.1"]]) {
    const client = await connect(host);
    const peer = peerOf(client);
    assert.deepEqual(localEnd(libc(), listener, peer), { ...listener, hostname });
    assert.equal(localEnd(libc(), listener, { ...peer, port: listener.port }), undefined);
    assert.equal(localEnd(libc(), { ...listener, port: 1 }, peer), undefined);
    client.destroy();
  }
});

test(`localEnd() takes few calls however many connections there are (${runtime})`, async () => {
  await using server = await crowd("::");
  const { listener, connect, leave } = server;
  const counting = countingLibc(libc());
  const ask = (client: Socket) => {
    const peer = peerOf(client);
    return counting.callsOf(() => {
      // On one machine a client comes from the address that it goes to.
      assert.deepEqual(localEnd(counting.libc, listener, peer), { ...listener, hostname: peer.hostname });
    });
  };
  const clients: Socket[] = [];
  // The first that is asked about is among all that is open here.
  clients.push(await connect("127.0.0.1"));
  ask(clients[0]);
  let calls = 0;
  for (let i = 1; i < 150; i++) {
    clients.push(await connect(i % 2 === 0 ? "127.0.0.1" : "::1"));
    calls += ask(clients[i]);
  }
  // A look at all of them each time would be some 50,000. Each client is in this process, too, and others may have left gaps.
  assert.ok(calls < 9000, `${calls} calls for 149 new ones`);
  const askAgain = (client: Socket) => {
    const calls = ask(client);
    const namesakes = clients.filter(({ localPort }) => localPort === client.localPort).length - 1;
    // One more for another client's that has the same port, if that is looked at first.
    if (namesakes === 0) assert.equal(calls, 3);
    else assert.ok(calls >= 3 && calls <= 3 + namesakes, `${calls} calls, ${namesakes} with the same port`);
  };
  clients.forEach(askAgain);
  // One that gets a number of another's is found as well, and then known.
  await leave(clients[10]);
  clients[10] = await connect("::1");
  ask(clients[10]);
  askAgain(clients[10]);
  clients.forEach((client) => client.destroy());
});

test(`localEnd() gives nothing of a closed connection, and looks for no client whose address is unknown (${runtime})`, async () => {
  await using server = await crowd("::");
  const { listener, connect, leave } = server;
  const client = await connect("127.0.0.1");
  const peer = peerOf(client);
  assert.notEqual(localEnd(libc(), listener, peer), undefined);
  await leave(client);
  assert.equal(localEnd(libc(), listener, peer), undefined);
  const counting = countingLibc(libc());
  const unknown: TcpAddress = { transport: "tcp", hostname: "", port: 0 };
  assert.equal(counting.callsOf(() => assert.equal(localEnd(counting.libc, listener, unknown), undefined)), 0);
});
