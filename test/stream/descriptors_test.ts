// No way in which a connection ends leaves a descriptor open, whatever its peer does: counted where the kernel counts.
import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { test } from "node:test";
import { type Connection, type Fd3Error, listen, type Listener } from "../../mod.ts";
import { eventually } from "../fixtures/activate.ts";
import { open } from "../fixtures/client.ts";
import { runtime } from "../fixtures/runtime.ts";
import { tempFolder } from "../fixtures/sockets.ts";

/** More than the kernel takes for a peer that does not read. */
const large = new Uint8Array(32 * 1024 * 1024);
const small = new Uint8Array(1000);
const buffer = new Uint8Array(10);

function openSockets(): number {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The folder's own, closed by now.
      return "";
    }
  });
  return targets.filter((target) => target.startsWith("socket:")).length;
}

/** Fails where the peer was the cause of anything but these. */
async function isGone(promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(["ECONNRESET", "EPIPE"].includes((error as Fd3Error).code), String(error));
    return true;
  });
}

const endless = (chunk: Uint8Array) =>
  new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(chunk) }, { highWaterMark: 0 });

/** Some of what we write has arrived, so a write is under way. */
const arrived = (peer: Socket) => new Promise((resolve) => peer.once("readable", resolve));

/** Unix sockets have no reset: a peer that leaves something unread breaks the connection instead. */
function breakOff(peer: Socket): void {
  if (peer.remoteFamily === undefined) peer.destroy();
  else peer.resetAndDestroy();
}

/** Each ends its connection itself; the peer is destroyed only afterwards. */
const endings: Record<string, (connection: Connection, peer: Socket) => Promise<unknown>> = {
  async "an echo by pipeTo() whose peer breaks off"(connection, peer) {
    const piped = connection.readable.pipeTo(connection.writable).catch(() => {});
    peer.write(small);
    await arrived(peer);
    breakOff(peer);
    await piped;
    // Where the peer's end comes first, our end is what closes it.
    await connection.closed;
  },
  async "a pipeTo() to a peer that does not read, and breaks off"(connection, peer) {
    const piped = isGone(endless(large).pipeTo(connection.writable));
    await arrived(peer);
    breakOff(peer);
    await piped;
  },
  async "a source that fails while it is piped"(connection) {
    const source = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("source")) });
    await assert.rejects(source.pipeTo(connection.writable), /source/);
  },
  async "writable.abort() while the peer does not read"(connection, peer) {
    const writer = connection.writable.getWriter();
    const writes = [writer.write(large), writer.write(small), writer.close()].map((done) => assert.rejects(done));
    await arrived(peer);
    await writer.abort(new Error("enough"));
    await Promise.all(writes);
  },
  async "a signal and close() where the peer does not read"(connection, peer) {
    const controller = new AbortController();
    controller.signal.addEventListener("abort", () => void connection.close());
    const piped = assert.rejects(endless(large).pipeTo(connection.writable, { signal: controller.signal }));
    await arrived(peer);
    controller.abort();
    await piped;
  },
  async "readable.cancel() while a read and a write wait"(connection, peer) {
    const written = assert.rejects(connection.write(large));
    const reader = connection.readable.getReader();
    const read = reader.read();
    await arrived(peer);
    await reader.cancel();
    assert.equal((await read).done, true);
    await written;
  },
  async "closeWrite() behind a write that waits, then close()"(connection, peer) {
    const written = assert.rejects(connection.write(large));
    const ended = connection.closeWrite();
    await arrived(peer);
    await connection.close();
    await Promise.all([written, ended]);
  },
  async "a write that waits where the peer breaks off, then close()"(connection, peer) {
    const written = isGone(connection.write(large));
    await arrived(peer);
    breakOff(peer);
    await written;
    await connection.close();
  },
  async "a loop that is left, then close()"(connection, peer) {
    peer.write(small);
    for await (const _chunk of connection) break;
    await connection.close();
  },
  async "an iterator that waits, then close()"(connection) {
    const next = connection[Symbol.asyncIterator]().next();
    await connection.close();
    assert.equal((await next).done, true);
  },
  async "a callback of forEach() that throws, then close()"(connection, peer) {
    const all = assert.rejects(
      connection.forEach(() => {
        throw new Error("callback");
      }),
      /callback/,
    );
    peer.write(small);
    await all;
    await connection.close();
  },
  async "a read that waits where the peer breaks off"(connection, peer) {
    const read = connection.read(buffer).catch(() => null);
    breakOff(peer);
    await read;
    await connection.closeWrite();
    await connection.closed;
  },
};

/** Each in turn on connections of one listener; the sockets of this process are as many as before. */
async function endAll(listener: Listener, target: object): Promise<void> {
  const connections = listener[Symbol.asyncIterator]();
  const connect = async (): Promise<[Connection, Socket]> => {
    const accepted = connections.next();
    const peer = await open(target);
    peer.on("error", () => {});
    return [(await accepted).value, peer];
  };
  // What the runtime opens for itself, once, on the way to the second connection.
  for (let i = 0; i < 3; i++) {
    const [connection, peer] = await connect();
    await connection.close();
    peer.destroy();
  }
  for (const [name, end] of Object.entries(endings)) {
    const before = openSockets();
    for (let i = 0; i < 5; i++) {
      const [connection, peer] = await connect();
      await end(connection, peer);
      await connection.closed;
      peer.destroy();
    }
    assert.ok(await eventually(() => openSockets() <= before), `${name}: ${openSockets()} sockets, not ${before}`);
  }
}

test(`no end of a TCP connection leaves a descriptor open (${runtime})`, async () => {
  await using listener = await listen({ fallback: "127.0.0.1:0" });
  const { hostname: host, port } = listener.address as { hostname: string; port: number };
  await endAll(listener, { host, port });
});

test(`no end of a Unix connection leaves a descriptor open (${runtime})`, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/s.sk`;
  await using listener = await listen({ fallback: path });
  await endAll(listener, { path });
});
