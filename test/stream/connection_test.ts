import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../../src/types.ts";
import { fd3Error, typeError } from "../fixtures/expect.ts";
import {
  bytes,
  localAddress,
  type Peer,
  pullPeer,
  pushPeer,
  remoteAddress,
  stateOf,
  text,
  turn,
} from "../fixtures/fake_transports.ts";

async function collect(connection: Connection): Promise<string> {
  let all = "";
  for await (const chunk of connection) all += text(chunk);
  return all;
}

async function readText(connection: Connection, size = 100): Promise<string | null> {
  const buffer = new Uint8Array(size);
  const n = await connection.read(buffer);
  return n === null ? null : text(buffer.subarray(0, n));
}

const busy = "Cannot read: another reader of this connection is waiting";
const tooLate = "Cannot write to the connection: the connection is closed";

/** What a connection does, whatever the runtime. */
const cases: Record<string, (peer: Peer) => Promise<void>> = {
  "has the addresses of its socket": ({ connection }) => {
    assert.deepEqual([connection.localAddress, connection.remoteAddress], [localAddress, remoteAddress]);
    return Promise.resolve();
  },
  "iterates over what arrived before and after, in order, until the peer's end": async (peer) => {
    peer.send("a");
    peer.send("b");
    const all = collect(peer.connection);
    await turn();
    peer.send("c");
    peer.send("d");
    peer.end();
    assert.equal(await all, "abcd");
    assert.equal(await collect(peer.connection), "");
  },
  "keeps the rest for the next read() where the buffer is small": async (peer) => {
    peer.send("abcde");
    peer.send("f");
    peer.end();
    const parts = [];
    for (let part; (part = await readText(peer.connection, 2)) !== null;) parts.push(part);
    assert.deepEqual(parts, ["ab", "cd", "e", "f"]);
    assert.equal(await readText(peer.connection), null);
  },
  "read() waits for what comes": async (peer) => {
    const part = readText(peer.connection);
    assert.equal(await stateOf(part), "pending");
    peer.send("a");
    assert.equal(await part, "a");
  },
  "read() leaves the rest of the buffer alone": async (peer) => {
    peer.send("a");
    const buffer = new Uint8Array(3).fill(7);
    assert.equal(await peer.connection.read(buffer.subarray(1)), 1);
    assert.deepEqual(buffer, Uint8Array.of(7, 97, 7));
  },
  "read() refuses what it cannot read into": async ({ connection }) => {
    const empty = "Cannot read: buffer has 0 bytes, at least 1 is needed";
    await assert.rejects(connection.read(new Uint8Array()), typeError(empty));
    const none = "Cannot read: buffer is string, not a Uint8Array";
    await assert.rejects(connection.read("a" as unknown as Uint8Array), typeError(none));
  },
  "refuses a second reader, and goes on with the first": async (peer) => {
    const first = readText(peer.connection);
    await assert.rejects(readText(peer.connection), typeError(busy));
    await assert.rejects(collect(peer.connection), typeError(busy));
    await assert.rejects(peer.connection.forEach(() => {}), typeError(busy));
    peer.send("a");
    assert.equal(await first, "a");
    peer.send("b");
    assert.equal(await readText(peer.connection), "b");
  },
  "refuses a second reader while forEach() waits for its callback": async (peer) => {
    let go = () => {};
    const all = peer.connection.forEach(() => new Promise<void>((resolve) => go = resolve));
    peer.send("a");
    await turn();
    await assert.rejects(readText(peer.connection), typeError(busy));
    await assert.rejects(peer.connection.forEach(() => {}), typeError(busy));
    go();
    peer.end();
    await all;
  },
  "forEach() calls back with all that comes, in order": async (peer) => {
    peer.send("a");
    const seen: string[] = [];
    const all = peer.connection.forEach((chunk) => void seen.push(text(chunk)));
    await turn();
    peer.send("b");
    peer.send("c");
    assert.equal(await stateOf(all), "pending");
    peer.end();
    await all;
    assert.equal(seen.join(""), "abc");
  },
  "forEach() takes a callback that gives anything, as JavaScript has them": async (peer) => {
    const got: (string | null)[] = [];
    const all = peer.connection.forEach(
      ((chunk: Uint8Array) => got.push(text(chunk)) > 1 ? null : 1) as unknown as () => void,
    );
    peer.send("a");
    await turn();
    peer.send("b");
    peer.end();
    await all;
    assert.equal(got.join(""), "ab");
  },
  "forEach() gives the next chunk when the promise of the last has settled": async (peer) => {
    const seen: string[] = [];
    let go = () => {};
    const all = peer.connection.forEach((chunk) => {
      seen.push(text(chunk));
      return new Promise((resolve) => go = resolve);
    });
    for (const message of ["a", "b"]) {
      peer.send(message);
      await turn();
    }
    peer.end();
    assert.deepEqual(seen, ["a"]);
    go();
    await turn();
    assert.deepEqual(seen, ["a", "b"]);
    assert.equal(await stateOf(all), "pending");
    go();
    await all;
  },
  "forEach() echoes in order, also where the kernel stalls": async (peer) => {
    const all = peer.connection.forEach((chunk) => peer.connection.write(chunk));
    peer.send("a");
    await turn();
    peer.stall();
    peer.send("b");
    peer.send("c");
    await turn();
    peer.drain();
    peer.send("d");
    peer.end();
    await all;
    assert.equal(peer.received.join(""), "abcd");
  },
  "forEach() throws what its callback throws, and leaves the rest to another reader": async (peer) => {
    for (const fail of [() => Promise.reject(new Error("async")), () => assert.fail("sync")]) {
      const all = peer.connection.forEach(fail);
      peer.send("a");
      await assert.rejects(all, /^(Error|AssertionError.*): a?sync/);
      peer.send("b");
      assert.equal(await readText(peer.connection), "b");
    }
    assert.deepEqual(peer.log.filter((entry) => entry === "close"), []);
  },
  "tells readers that the peer broke it, after what had arrived, and writers": async (peer) => {
    const { connection } = peer;
    peer.send("a");
    peer.reset();
    await turn();
    assert.equal(await readText(connection), "a");
    await assert.rejects(readText(connection), fd3Error("ECONNRESET"));
    await assert.rejects(readText(connection), fd3Error("ECONNRESET"));
    await assert.rejects(collect(connection), fd3Error("ECONNRESET"));
    await assert.rejects(connection.forEach(() => {}), fd3Error("ECONNRESET"));
    await assert.rejects(connection.write(bytes("b")), fd3Error("ECONNRESET"));
    await connection.closed;
    await connection.close();
  },
  "tells a waiting reader and a waiting writer that the peer broke it": async (peer) => {
    peer.stall();
    const read = assert.rejects(readText(peer.connection), fd3Error("ECONNRESET"));
    const write = assert.rejects(peer.connection.write(bytes("a")), fd3Error("ECONNRESET"));
    await turn();
    peer.reset();
    await Promise.all([read, write, peer.connection.closed]);
  },
  "tells forEach() that the peer broke it": async (peer) => {
    const all = assert.rejects(peer.connection.forEach(() => {}), fd3Error("ECONNRESET"));
    peer.reset();
    await all;
  },
  "writes in order, and settles when the kernel has it": async (peer) => {
    const { connection, received } = peer;
    await connection.write(bytes("a"));
    assert.equal(received.join(""), "a");
    peer.stall();
    const writes = ["bcd", "ef", "g"].map((message) => connection.write(bytes(message)));
    assert.equal(await stateOf(writes[0]), "pending");
    peer.drain();
    await Promise.all(writes);
    assert.equal(received.join(""), "abcdefg");
    await connection.write(bytes(""));
  },
  "refuses to write what is no bytes": async ({ connection }) => {
    const message = "Cannot write: chunk is string, not a Uint8Array";
    await assert.rejects(connection.write("a" as unknown as Uint8Array), typeError(message));
  },
  "closeWrite() ends our side alone, and then writes are refused": async (peer) => {
    const { connection } = peer;
    await connection.closeWrite();
    await connection.closeWrite();
    assert.deepEqual(peer.log, ["end"]);
    await assert.rejects(connection.write(bytes("a")), fd3Error("ERR_FD3_CLOSED", tooLate));
    peer.send("b");
    assert.equal(await readText(connection), "b");
    assert.equal(await stateOf(connection.closed), "pending");
  },
  "is closed when both have ended, we first": async (peer) => {
    await peer.connection.closeWrite();
    const all = collect(peer.connection);
    peer.send("a");
    peer.end();
    assert.equal(await all, "a");
    await peer.connection.closed;
    assert.equal(peer.log.at(-1), "close");
  },
  "is closed when both have ended, the peer first, which can still be written to": async (peer) => {
    peer.end();
    assert.equal(await readText(peer.connection), null);
    await peer.connection.write(bytes("a"));
    assert.equal(await stateOf(peer.connection.closed), "pending");
    await peer.connection.closeWrite();
    await peer.connection.closed;
    assert.deepEqual(peer.received, ["a"]);
    assert.deepEqual(peer.log.filter((entry) => entry === "close"), ["close"]);
  },
};

for (const [name, run] of Object.entries(cases)) {
  test(`PushConnection ${name}`, () => run(pushPeer()));
  test(`PullConnection ${name}`, () => run(pullPeer()));
}
