// Connections whose peer does not read, or is gone: nothing hangs, nothing stays open, and what was not sent is not said to be.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { type Connection, type Fd3Error, listen } from "../../mod.ts";

import { open } from "../fixtures/client.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { runtime } from "../fixtures/runtime.ts";

/** More than the kernel takes for a peer that does not read. */
const large = 32 * 1024 * 1024;

interface Pair extends AsyncDisposable {
  readonly connection: Connection;
  /** It reads nothing. */
  readonly peer: Socket;
}

async function connect(): Promise<Pair> {
  const listener = await listen({ fallback: "127.0.0.1:0" });
  const { hostname: host, port } = listener.address as { hostname: string; port: number };
  const accepted = listener[Symbol.asyncIterator]().next();
  const peer = await open({ host, port });
  peer.on("error", () => {});
  const connection: Connection = (await accepted).value;
  return {
    connection,
    peer,
    async [Symbol.asyncDispose]() {
      peer.destroy();
      await connection.close();
      await listener.close();
    },
  };
}

const isGone = (error: unknown) => {
  assert.ok(["ECONNRESET", "EPIPE"].includes((error as Fd3Error).code), String(error));
  return true;
};

test(`writable.abort() closes a connection whose peer does not read (${runtime})`, async () => {
  await using pair = await connect();
  const { connection } = pair;
  const writer = connection.writable.getWriter();
  const written = writer.write(new Uint8Array(large));
  const refused = assert.rejects(written);
  await writer.abort(new Error("enough"));
  await refused;
  await connection.closed;
});

test(`close() ends a pipeTo() to a peer that does not read (${runtime})`, async () => {
  await using pair = await connect();
  const { connection, peer } = pair;
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(large)),
  }, { highWaterMark: 0 });
  const piped = source.pipeTo(connection.writable);
  const refused = assert.rejects(piped, fd3Error("ERR_FD3_CLOSED"));
  // Some of it has come, so a write is under way.
  await new Promise((resolve) => peer.once("readable", resolve));
  await connection.close();
  await refused;
});

test(`pipeTo() to a peer that resets rejects and leaves no connection open (${runtime})`, async () => {
  await using pair = await connect();
  const { connection, peer } = pair;
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      controller.enqueue(new Uint8Array(1000));
    },
  });
  const refused = assert.rejects(source.pipeTo(connection.writable), isGone);
  peer.resetAndDestroy();
  await refused;
  await connection.closed;
});

test(`a write() that waits when the peer resets rejects, and so does read() (${runtime})`, async () => {
  for (const first of ["write", "read"]) {
    await using pair = await connect();
    const { connection, peer } = pair;
    const read = () => connection.read(new Uint8Array(10));
    const reading = first === "read" ? assert.rejects(read(), isGone) : undefined;
    const written = connection.write(new Uint8Array(large));
    const refused = assert.rejects(written, isGone);
    peer.resetAndDestroy();
    await refused;
    await (reading ?? assert.rejects(read(), isGone));
    await assert.rejects(connection.write(new Uint8Array(10)));
    // Where the error was not read, nobody but the owner closes it.
    await connection.close();
  }
});

test(`close() amid closeWrite() and a write that waits settles all of them (${runtime})`, async () => {
  await using pair = await connect();
  const { connection } = pair;
  const written = connection.write(new Uint8Array(large));
  const refused = assert.rejects(written);
  const ended = connection.closeWrite();
  await connection.close();
  await refused;
  await ended;
  await connection.closed;
});
