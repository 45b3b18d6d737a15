import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { closeIdleConnections } from "../../runtimes/shared/http/idle.ts";

const limitMs = 400;

/**
 * A server's only connection, which has answered a request, and how often it was looked at.
 *
 * @param onLook Called with the number of each look.
 */
function makeConnection(onLook: (look: number) => void = () => {}) {
  const socket = {
    bytesRead: 100,
    bytesWritten: 100,
    isClosed: false,
    destroySoon: () => void (socket.isClosed = true),
  };
  const connection = { socket, pending: 0, upgrade: undefined, requests: 1 };
  let looks = 0;
  const open = {
    *[Symbol.iterator]() {
      onLook(++looks);
      yield connection;
    },
  } as unknown as Parameters<typeof closeIdleConnections>[0];
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await sleep(1);
  };
  return { socket, open, untilLooks: (count: number) => until(() => looks >= count), until };
}

test("closeIdleConnections() closes no connection whose request is read a moment after the event loop was kept", async () => {
  const { socket, open, until, untilLooks } = makeConnection();
  const end = closeIdleConnections(open, limitMs);
  await untilLooks(2);
  const blocked = Date.now() + 2 * limitMs;
  while (Date.now() < blocked);
  // Deno reads where its loop waits, on a busy machine later than the next timers run.
  setTimeout(() => socket.bytesRead += 100, limitMs / 10);
  await untilLooks(4);
  assert.equal(socket.isClosed, false);
  await until(() => socket.isClosed);
  end();
});

test("closeIdleConnections() closes no connection whose request is read while it is about to be closed", async () => {
  const { socket, open, until, untilLooks } = makeConnection((look) => {
    // The limit is over in the fifth.
    if (look === 5) setTimeout(() => socket.bytesRead += 100, 5);
  });
  const begin = Date.now();
  const end = closeIdleConnections(open, limitMs);
  await untilLooks(6);
  assert.equal(socket.isClosed, false);
  await until(() => socket.isClosed);
  assert.ok(Date.now() - begin >= 2 * limitMs);
  end();
});
