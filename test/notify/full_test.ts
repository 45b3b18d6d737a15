// A service manager that reads nothing: the queue of its socket is full.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { createNotify } from "../../src/notify/api.ts";
import { Outbox } from "../../src/notify/outbox.ts";
import type { NotifyApi } from "../../mod.ts";
import { eventually } from "../fixtures/activate.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { notifyHost, withEnv } from "../fixtures/notify_host.ts";
import { closeFds, contents, holdNotifySocket, memfd, type NotifySocket } from "../fixtures/notify_socket.ts";
import { notifyWays } from "../fixtures/notify_ways.ts";
import { linesOf, startNotifier } from "../fixtures/notifying.ts";
import { libc, runtime } from "../fixtures/runtime.ts";

const abstract = () => `@fd3-full-${process.pid}-${Math.random()}`;

/** A socket that takes nothing more, and fd3 in a process that has it. */
function full(): NotifySocket & { readonly api: NotifyApi } {
  const socket = holdNotifySocket(abstract());
  socket.fill();
  return { ...socket, api: createNotify(withEnv({ NOTIFY_SOCKET: socket.address })) };
}

/** Reads until so many messages have come. */
async function reads(socket: NotifySocket, count: number): Promise<string[]> {
  const texts: string[] = [];
  await eventually(() => texts.push(...socket.drain()) >= count);
  return texts;
}

test(`notify() keeps the latest of what may be lost, and no more (${runtime})`, async () => {
  using socket = full();
  const { notify } = socket.api;
  for (let i = 0; i <= 1000; i++) {
    // Nothing waits for the manager.
    assert.equal(await notify({ status: `status ${i}` }), true);
    assert.equal(await notify({ watchdog: "ping", extendTimeoutMs: i + 1 }), true);
  }
  const texts = await reads(socket, 3);
  assert.deepEqual(texts, ["STATUS=status 1000", "EXTEND_TIMEOUT_USEC=1001000", "WATCHDOG=1"]);
  assert.equal(await notify({ status: "there is room" }), true);
  assert.deepEqual(socket.drain(), ["STATUS=there is room"]);
});

test(`notify() waits for room with what must arrive, in order, and the event loop goes on (${runtime})`, async () => {
  using socket = full();
  const { notify, removeFd } = socket.api;
  const settled: string[] = [];
  const follow = (name: string, sent: Promise<boolean>) => sent.then((was) => settled.push(`${name} ${was}`));
  const all = [
    follow("status", notify({ status: "lost" })),
    follow("ready", notify({ ready: true, status: "fine" })),
    follow("trigger", notify({ watchdog: "trigger" })),
    follow("late status", notify({ status: "kept" })),
    follow("store", removeFd("a")),
    follow("mine", notify({ X_MINE: "1" })),
  ];
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(settled.sort(), ["late status true", "status true"]);
  assert.deepEqual(await reads(socket, 5), [
    "READY=1\nSTATUS=fine",
    "WATCHDOG=trigger",
    "FDSTOREREMOVE=1\nFDNAME=a",
    "X_MINE=1",
    "STATUS=kept",
  ]);
  await Promise.all(all);
  assert.equal(settled.length, all.length);
});

test(`storeFd() keeps a descriptor until it has left, also if its owner closes it (${runtime})`, async () => {
  using socket = full();
  const fd = memfd("state");
  const stored = socket.api.storeFd("a", fd);
  libc().close(fd);
  // The number is another's now.
  const other = memfd("other");
  const received = [];
  for (;;) {
    const next = await socket.receive();
    if (next.text === "X_FILL=1") continue;
    received.push(next);
    break;
  }
  assert.equal(await stored, true);
  assert.deepEqual(received.map(({ text, fds }) => [text, fds.map(contents)]), [["FDSTORE=1\nFDNAME=a", ["state"]]]);
  received.forEach(closeFds);
  libc().close(other);
  // What cannot be kept is said at once.
  socket.fill();
  await assert.rejects(
    socket.api.storeFd("a", 999),
    fd3Error("EBADF", "Cannot store a descriptor: bad file descriptor"),
  );
});

test(`barrier() gives up in its time where nothing is read, and leaves nothing behind (${runtime})`, async () => {
  using socket = full();
  const text = "Cannot wait for the service manager: no answer within 30 ms";
  await assert.rejects(socket.api.barrier(30), fd3Error("ETIMEDOUT", text));
  socket.drain();
  assert.equal(await socket.api.notify({ ready: true }), true);
  assert.deepEqual(socket.drain(), ["READY=1"]);
});

test(`barrier() gives up in its time behind what must arrive (${runtime})`, async () => {
  using socket = full();
  const ready = socket.api.notify({ ready: true });
  await assert.rejects(socket.api.barrier(30), fd3Error("ETIMEDOUT", /no answer within 30 ms$/));
  assert.deepEqual(await reads(socket, 1), ["READY=1"]);
  assert.equal(await ready, true);
});

test(`barrier() comes after all that was said, also after what may be lost (${runtime})`, async () => {
  using socket = full();
  assert.equal(await socket.api.notify({ status: "early" }), true);
  assert.equal(await socket.api.notify({ status: "last" }), true);
  const waited = socket.api.barrier(30_000);
  assert.equal(await socket.api.notify({ status: "later" }), true);
  assert.deepEqual(await reads(socket, 3), ["STATUS=last", "BARRIER=1", "STATUS=later"]);
  assert.equal(await waited, true);
});

test(`what waits is not put off by what comes after it (${runtime})`, async () => {
  const outbox = new Outbox(notifyHost.after);
  let hasRoom = false;
  const message = { lines: ["X_A=1"], isPassing: false, send: () => hasRoom };
  const { clearTimeout } = globalThis;
  let cleared = 0;
  globalThis.clearTimeout = ((timer: number) => (cleared++, clearTimeout(timer))) as typeof clearTimeout;
  try {
    const all = [outbox.push(message), outbox.push(message), outbox.push(message)];
    assert.equal(cleared, 0);
    hasRoom = true;
    assert.deepEqual(await Promise.all(all), [true, true, true]);
  } finally {
    globalThis.clearTimeout = clearTimeout;
  }
});

test(`a message that waits fails if the service manager is gone (${runtime})`, async () => {
  const socket = full();
  const sent = socket.api.notify({ ready: true });
  const expected = assert.rejects(
    sent,
    fd3Error("ECONNREFUSED", "Cannot notify the service manager: connection refused"),
  );
  socket[Symbol.dispose]();
  await expected;
});

test(`each way waits for room with READY=1, and the process with it (${runtime})`, async () => {
  for (const [i, way] of notifyWays(abstract()).entries()) {
    const address = abstract();
    using socket = holdNotifySocket(address);
    socket.fill();
    // Nothing that may be lost: a process that ends waits for no room for it.
    const calls = [["capabilities"], ["notify", { ready: true }], ["notify", { X_A: "1" }]] as const;
    await using started = startNotifier(notifyWays(address)[i], address, calls);
    await started.line();
    const texts: string[] = [];
    const isDone = () => texts.push(...socket.drain()) > 0 && texts.includes("X_A=1");
    assert.ok(await eventually(isDone), `${way.name}: ${texts} ${started.stderr()}`);
    assert.deepEqual(texts.filter((text) => text !== "BARRIER=1"), ["READY=1", "X_A=1"], way.name);
    assert.deepEqual((await linesOf(started)).slice(1), [{ value: true }, { value: true }], way.name);
  }
});
