import assert from "node:assert/strict";
import { test } from "node:test";
import { fd3Error } from "../fixtures/expect.ts";
import { bytes, type Peer, pullPeer, pushPeer, stateOf, text, turn } from "../fixtures/fake_transports.ts";

const count = (peer: Peer, entry: string) => peer.log.filter((e) => e === entry).length;

/** What a connection does at its end, and as web streams, whatever the runtime. */
const cases: Record<string, (peer: Peer) => Promise<void>> = {
  "close() closes both sides once, and settles when it is closed": async (peer) => {
    const { connection } = peer;
    await Promise.all([connection.close(), connection.close()]);
    await connection[Symbol.asyncDispose]();
    assert.equal(count(peer, "close"), 1);
    assert.equal(await stateOf(connection.closed), "fulfilled");
    await assert.rejects(connection.write(bytes("a")), fd3Error("ERR_FD3_CLOSED"));
    await connection.closeWrite();
    assert.equal(await connection.read(new Uint8Array(1)), null);
    assert.equal(count(peer, "close"), 1);
  },
  "close() ends a read() that waits": async (peer) => {
    const read = peer.connection.read(new Uint8Array(1));
    await turn();
    await peer.connection.close();
    assert.equal(await read, null);
  },
  "close() ends a forEach() and an iteration that wait": async (peer) => {
    const all = peer.connection.forEach(() => {});
    await turn();
    await peer.connection.close();
    await all;
    for await (const chunk of peer.connection) assert.fail(`it gave ${text(chunk)}`);
  },
  "close() in the callback of forEach() ends it": async (peer) => {
    let calls = 0;
    const all = peer.connection.forEach(() => {
      calls++;
      return peer.connection.close();
    });
    peer.send("a");
    await all;
    assert.equal(calls, 1);
  },
  "close() rejects writes that have not settled, and no others": async (peer) => {
    const first = peer.connection.write(bytes("a"));
    await first;
    peer.stall();
    const writes = ["b", "c"].map((message) => peer.connection.write(bytes(message)));
    const rejected = writes.map((write) => assert.rejects(write, fd3Error("ERR_FD3_CLOSED")));
    await turn();
    await peer.connection.close();
    await Promise.all(rejected);
    assert.deepEqual(peer.received, ["a"]);
  },
  "closeWrite() sends what was written before, where the peer ends meanwhile": async (peer) => {
    const { connection } = peer;
    peer.stall();
    const write = connection.write(bytes("a"));
    const ended = connection.closeWrite();
    const read = connection.read(new Uint8Array(1));
    peer.end();
    assert.equal(await read, null);
    await turn();
    assert.equal(count(peer, "close"), 0);
    peer.drain();
    await Promise.all([write, ended, connection.closed]);
    assert.deepEqual(peer.received, ["a"]);
    assert.equal(count(peer, "close"), 1);
  },
  "closeWrite() sends what was written before, where the peer has ended": async (peer) => {
    const { connection } = peer;
    peer.end();
    assert.equal(await connection.read(new Uint8Array(1)), null);
    peer.stall();
    const writes = ["a", "b"].map((message) => connection.write(bytes(message)));
    const ended = connection.closeWrite();
    await turn();
    peer.drain();
    await Promise.all([...writes, ended, connection.closed]);
    assert.deepEqual(peer.received, ["a", "b"]);
    assert.equal(count(peer, "close"), 1);
  },
  "readable gives what comes until the peer's end, and reads only when asked": async (peer) => {
    const { connection } = peer;
    assert.equal(connection.readable, connection.readable);
    peer.send("a");
    await turn();
    assert.equal(await connection.read(new Uint8Array(1)), 1);
    const reader = connection.readable.getReader();
    peer.send("b");
    assert.equal(text((await reader.read()).value!), "b");
    const last = reader.read();
    peer.end();
    assert.deepEqual(await last, { done: true, value: undefined });
  },
  "readable errs where the peer breaks the connection": async (peer) => {
    const reader = peer.connection.readable.getReader();
    const read = assert.rejects(reader.read(), fd3Error("ECONNRESET"));
    await turn();
    peer.reset();
    await read;
  },
  "readable.cancel() closes the connection": async (peer) => {
    await peer.connection.readable.cancel();
    assert.equal(count(peer, "close"), 1);
    await peer.connection.closed;
  },
  "writable sends what it gets, and our end at its end": async (peer) => {
    const { connection } = peer;
    assert.equal(connection.writable, connection.writable);
    const writer = connection.writable.getWriter();
    await Promise.all([writer.write(bytes("a")), writer.write(bytes("b")), writer.close()]);
    assert.equal(peer.received.join(""), "ab");
    assert.deepEqual(peer.log, ["end"]);
  },
  "writable waits where the kernel stalls": async (peer) => {
    const writer = peer.connection.writable.getWriter();
    peer.stall();
    const write = writer.write(bytes("a"));
    assert.equal(await stateOf(write), "pending");
    assert.equal(writer.desiredSize, 0);
    peer.drain();
    await write;
  },
  "writable.abort() closes the connection": async (peer) => {
    await peer.connection.writable.abort();
    assert.equal(count(peer, "close"), 1);
    await peer.connection.closed;
  },
  "readable.pipeTo(writable) echoes": async (peer) => {
    const piped = peer.connection.readable.pipeTo(peer.connection.writable);
    peer.send("a");
    await turn();
    peer.send("b");
    peer.end();
    await piped;
    await peer.connection.closed;
    assert.equal(peer.received.join(""), "ab");
  },
};

for (const [name, run] of Object.entries(cases)) {
  test(`PushConnection ${name}`, () => run(pushPeer()));
  test(`PullConnection ${name}`, () => run(pullPeer()));
}

test("PushConnection pauses at the first chunk that nobody reads, and resumes when a reader waits", async () => {
  const peer = pushPeer();
  assert.deepEqual(peer.log, []);
  peer.send("a");
  assert.deepEqual(peer.log, ["pause"]);
  peer.send("b");
  assert.deepEqual(peer.log, ["pause"]);
  const buffer = new Uint8Array(1);
  await peer.connection.read(buffer);
  await peer.connection.read(buffer);
  assert.deepEqual(peer.log, ["pause"]);
  const read = peer.connection.read(buffer);
  assert.deepEqual(peer.log, ["pause", "resume"]);
  peer.send("c");
  await read;
  assert.deepEqual(peer.log, ["pause", "resume"]);
  peer.send("d");
  assert.deepEqual(peer.log, ["pause", "resume", "pause"]);
});

test("PushConnection pauses while the callback of forEach() is busy and more comes, and resumes then", async () => {
  const peer = pushPeer();
  let go = () => {};
  const all = peer.connection.forEach(() => new Promise((resolve) => go = resolve));
  peer.send("a");
  assert.deepEqual(peer.log, []);
  peer.send("b");
  assert.deepEqual(peer.log, ["pause"]);
  go();
  await turn();
  assert.deepEqual(peer.log, ["pause"]);
  go();
  await turn();
  assert.deepEqual(peer.log, ["pause", "resume"]);
  peer.end();
  await all;
});

test("PushConnection gives forEach() a chunk in the same turn", () => {
  const peer = pushPeer();
  const seen: string[] = [];
  void peer.connection.forEach((chunk) => {
    seen.push(text(chunk));
    return peer.connection.write(chunk);
  });
  for (const message of ["a", "b", "c"]) peer.send(message);
  assert.deepEqual(seen, ["a", "b", "c"]);
  assert.deepEqual(peer.log, []);
});

test("PushConnection takes a close without an error for the peer's end", async () => {
  const peer = pushPeer();
  const read = peer.connection.read(new Uint8Array(1));
  peer.connection.feedClose();
  assert.equal(await read, null);
  await peer.connection.closed;
  await assert.rejects(
    peer.connection.write(bytes("a")),
    fd3Error("EPIPE", "Cannot write to the connection: broken pipe"),
  );
});

test("PushConnection takes no error for a failure after the peer's end", async () => {
  const peer = pushPeer();
  peer.end();
  peer.reset();
  await peer.connection.closed;
  assert.equal(await peer.connection.read(new Uint8Array(1)), null);
});

test("PullConnection writes on where the kernel takes a part, one write after the other", async () => {
  const peer = pullPeer(2);
  await Promise.all(["abcde", "fgh", "i"].map((message) => peer.connection.write(bytes(message))));
  assert.deepEqual(peer.received, ["ab", "cd", "e", "fg", "h", "i"]);
});

test("PullConnection gives a large chunk whole, and a small one without the memory behind it", async () => {
  const peer = pullPeer();
  peer.send("a".repeat(65536));
  peer.send("b");
  peer.end();
  const sizes: number[][] = [];
  for await (const chunk of peer.connection) sizes.push([chunk.byteLength, chunk.buffer.byteLength]);
  assert.deepEqual(sizes, [[65536, 65536], [1, 1]]);
});
