import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { createNotify } from "../../src/notify/api.ts";
import { credentialsFor } from "../../src/notify/message.ts";
import { notify as notifyNow } from "../../src/notify/notify.ts";
import type { NotifyApi } from "../../mod.ts";
import { fd3Error, rangeError, typeError } from "../fixtures/expect.ts";
import { notifyHost, withEnv } from "../fixtures/notify_host.ts";
import { closeFds, contents, holdNotifySocket, isOpen, memfd, monotonicUsec } from "../fixtures/notify_socket.ts";
import { libc, runtime } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";

/** fd3 in a process whose NOTIFY_SOCKET is this. */
function notifying(address: string): NotifyApi {
  return createNotify(withEnv({ NOTIFY_SOCKET: address }));
}

const abstract = () => `@fd3-test-${process.pid}-${Math.random()}`;

test(`notify() sends in order, and before it returns (${runtime})`, async () => {
  using folder = tempFolder();
  for (const address of [`${folder.path}/notify`, abstract()]) {
    using socket = holdNotifySocket(address);
    const { notify } = notifying(address);
    const sent = [notify({ ready: true, status: "grüß dich" }), notify({ stopping: true })];
    assert.equal(socket.poll()?.text, "READY=1\nSTATUS=grüß dich");
    assert.equal(socket.poll()?.text, "STOPPING=1");
    assert.equal(socket.poll(), undefined);
    assert.deepEqual(await Promise.all(sent), [true, true]);
  }
});

test(`the daemon's notify() gives no promise with FFI (${runtime})`, () => {
  using socket = holdNotifySocket(abstract());
  assert.equal(notifyNow(withEnv({ NOTIFY_SOCKET: socket.address }), { ready: true }), true);
  assert.equal(socket.poll()?.text, "READY=1");
  assert.equal(notifyNow(withEnv({}), { ready: true }), false);
});

test(`without NOTIFY_SOCKET nothing is sent, and mistakes are still found (${runtime})`, async () => {
  const { notify, barrier, storeFd, removeFd } = createNotify(withEnv({}));
  assert.equal(await notify({ ready: true }), false);
  assert.equal(await barrier(), false);
  assert.equal(await storeFd("a", 0), false);
  assert.equal(await removeFd("a"), false);
  await assert.rejects(notify({ status: "a\nb" }), TypeError);
  await assert.rejects(notify({ status: "x".repeat(5000) }), RangeError);
  await assert.rejects(storeFd("a:b", 0), TypeError);
  await assert.rejects(storeFd("a", -1), RangeError);
});

test(`notify() takes NOTIFY_SOCKET out of the environment, and remembers it (${runtime})`, async () => {
  using one = holdNotifySocket(abstract());
  using other = holdNotifySocket(abstract());
  const host = withEnv({ NOTIFY_SOCKET: one.address });
  assert.equal(await createNotify(host).notify({ ready: true }, { keepEnv: true }), true);
  assert.equal(host.environment.NOTIFY_SOCKET, one.address);
  assert.equal(await createNotify(host).notify({ ready: true }), true);
  assert.deepEqual(host.environment, {});
  // Another copy of the package, too, which has only globalThis in common.
  assert.equal(await createNotify({ ...host }).notify({ status: "later" }), true);
  const texts = () => [one, other].map((socket) => socket.poll()?.text);
  assert.deepEqual([texts(), texts(), texts()], [["READY=1", undefined], ["READY=1", undefined], [
    "STATUS=later",
    undefined,
  ]]);
  host.environment.NOTIFY_SOCKET = other.address;
  assert.equal(await createNotify(host).notify({ status: "new" }), true);
  assert.deepEqual(texts(), [undefined, "STATUS=new"]);
});

test(`notify() says what is wrong with the socket (${runtime})`, async () => {
  using folder = tempFolder();
  using stream = holdUnix(`${folder.path}/stream`);
  assert.ok(stream.fd > 0);
  const wanted = [
    [`${folder.path}/none`, "ENOENT", "no such file or directory"],
    ["/dev/null", "ECONNREFUSED", "connection refused"],
    [`${folder.path}/stream`, "EPROTOTYPE", "protocol wrong type for socket"],
    ["run/notify", "EINVAL", 'NOTIFY_SOCKET is "run/notify", neither an absolute path nor an abstract name'],
    [`/${"x".repeat(107)}`, "ENAMETOOLONG", `NOTIFY_SOCKET is "/${"x".repeat(107)}", which has 108 bytes`],
  ] as const;
  for (const [address, code, text] of wanted) {
    await assert.rejects(
      notifying(address).notify({ ready: true }),
      fd3Error(code, `Cannot notify the service manager: ${text}`),
    );
  }
});

test(`notify() sends nothing that the service manager would drop (${runtime})`, async () => {
  using socket = holdNotifySocket(abstract());
  const { notify } = notifying(socket.address);
  await assert.rejects(notify({ ready: true, status: "é".repeat(2045) }), rangeError(/4105 bytes, more than 4096$/));
  await assert.rejects(notify({ status: "fine\nMAINPID=1" }), typeError(/not one line without NUL$/));
  await assert.rejects(notify({ ready: true }, { pid: 0 }), typeError(/pid is 0, not a process ID$/));
  assert.equal(socket.poll(), undefined);
  // As long as it may be.
  assert.equal(await notify({ status: "é".repeat(2044) + "x" }), true);
  assert.equal(socket.poll()?.bytes.length, 4096);
});

test(`notify({ reloading }) says when, by CLOCK_MONOTONIC (${runtime})`, async () => {
  using socket = holdNotifySocket(abstract());
  const { notify } = notifying(socket.address);
  const before = monotonicUsec();
  await notify({ reloading: true });
  const after = monotonicUsec();
  const [, usec] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(socket.poll()!.text)!;
  assert.ok(before <= BigInt(usec) && BigInt(usec) <= after, `${before} <= ${usec} <= ${after}`);
  await notify({ reloading: true, monotonicUsec: 5n });
  assert.equal(socket.poll()?.text, "RELOADING=1\nMONOTONIC_USEC=5");
});

test(`notify({ reloading }) takes the time since boot, rounded up, where nobody knows better (${runtime})`, async () => {
  using socket = holdNotifySocket(abstract());
  const environment = { NOTIFY_SOCKET: socket.address };
  const clockless = { clock_gettime: () => -22 } as Partial<ReturnType<typeof notifyHost.rareLibc>>;
  const rareLibc = () => ({ ...notifyHost.rareLibc(), ...clockless }) as ReturnType<typeof notifyHost.rareLibc>;
  const { notify } = createNotify(withEnv(environment, { rareLibc, monotonic: undefined }));
  const before = monotonicUsec();
  await notify({ reloading: true });
  const [, usec] = /\nMONOTONIC_USEC=(\d+)$/.exec(socket.poll()!.text)!;
  assert.ok(before <= BigInt(usec), `${before} <= ${usec}`);
});

test(`a message comes from this process, or from another if the kernel allows it (${runtime})`, async () => {
  using socket = holdNotifySocket(abstract());
  const { notify } = notifying(socket.address);
  const senderOf = async (pid?: number) => {
    await notify({ ready: true }, { pid });
    return socket.poll()?.credentials?.pid;
  };
  assert.equal(await senderOf(), process.pid);
  assert.equal(await senderOf(process.pid), process.pid);
  const isRoot = process.geteuid?.() === 0;
  assert.equal(await senderOf(process.ppid), isRoot ? process.ppid : process.pid);
  // There is no such process: the second try is in our own name.
  assert.equal(await senderOf(2 ** 30), process.pid);
});

test(`a program with another effective user says who it really is (${runtime})`, () => {
  const real = notifyHost.messageLibc();
  assert.ok("getresuid" in real);
  // Parts of a buffer, too, are where the kernel writes.
  const found = new Uint32Array(3).fill(0xffffffff);
  const [one, two, three] = [0, 4, 8].map((at) => new Uint8Array(found.buffer, at, 4));
  assert.equal(real.getresuid(one, two, three), 0);
  assert.deepEqual([...found], Array(3).fill(process.getuid?.()));
  assert.equal(credentialsFor(real, 7, 7), undefined);
  assert.deepEqual(credentialsFor(real, 8, 7), { pid: 8, uid: process.getuid?.(), gid: process.getgid?.() });

  const ids = (real: number, effective: number) => (one: Uint8Array, two: Uint8Array) => {
    new DataView(one.buffer, one.byteOffset).setUint32(0, real, true);
    new DataView(two.buffer, two.byteOffset).setUint32(0, effective, true);
    return 0;
  };
  const uid = 2 ** 32 - 2;
  const setuid = { ...real, getresuid: ids(uid, 0), getresgid: ids(5, 5) };
  assert.deepEqual(credentialsFor(setuid, 7, 7), { pid: 7, uid, gid: 5 });
  const setgid = { ...real, getresuid: ids(5, 5), getresgid: ids(6, 7) };
  assert.deepEqual(credentialsFor(setgid, 7, 7), { pid: 7, uid: 5, gid: 6 });
  const plain = { ...real, getresuid: ids(5, 5), getresgid: ids(6, 6) };
  assert.equal(credentialsFor(plain, 7, 7), undefined);
});

test(`storeFd() sends descriptors that are of use, and keeps its own (${runtime})`, async () => {
  using socket = holdNotifySocket(abstract());
  const { storeFd, removeFd } = notifying(socket.address);
  const [one, two] = [memfd("eins"), memfd("zwei")];
  try {
    assert.equal(await storeFd("state", one, { poll: false }), true);
    const single = socket.poll()!;
    assert.deepEqual([single.text, single.fds.map(contents)], ["FDSTORE=1\nFDNAME=state\nFDPOLL=0", ["eins"]]);
    assert.equal(await storeFd("both", [one, two]), true);
    const double = socket.poll()!;
    assert.deepEqual([double.text, double.fds.map(contents)], ["FDSTORE=1\nFDNAME=both", ["eins", "zwei"]]);
    assert.deepEqual(double.fds.map((fd) => fd === one || fd === two), [false, false]);
    for (const message of [single, double]) closeFds(message);
    assert.deepEqual([one, two].map(isOpen), [true, true]);
    assert.equal(await removeFd("state"), true);
    const { text, fds } = socket.poll()!;
    assert.deepEqual([text, fds], ["FDSTOREREMOVE=1\nFDNAME=state", []]);
  } finally {
    for (const fd of [one, two]) libc().close(fd);
  }
});

test(`storeFd() says which descriptors it cannot send (${runtime})`, async () => {
  using socket = holdNotifySocket(abstract());
  const { storeFd } = notifying(socket.address);
  await assert.rejects(storeFd("a", 999), fd3Error("EBADF", "Cannot store a descriptor: bad file descriptor"));
  const many = Array<number>(254).fill(0);
  const text = "Cannot store a descriptor: 254 descriptors are more than the 253 of one message";
  await assert.rejects(storeFd("a", many), fd3Error("EINVAL", text));
  assert.equal(socket.poll(), undefined);
});

test(`nothing that is sent, or that fails, leaves a descriptor open (${runtime})`, async () => {
  using folder = tempFolder();
  using socket = holdNotifySocket(`${folder.path}/notify`);
  const all = async () => {
    const { notify, storeFd, barrier } = notifying(socket.address);
    await notify({ ready: true });
    await storeFd("a", 0);
    await assert.rejects(storeFd("a", 999), fd3Error("EBADF"));
    await assert.rejects(barrier(1), fd3Error("ETIMEDOUT"));
    const failing = notifying(`${folder.path}/none`);
    await assert.rejects(failing.barrier(1), fd3Error("ENOENT"));
    await assert.rejects(failing.notify({ ready: true }), fd3Error("ENOENT"));
    for (let message = socket.poll(); message !== undefined; message = socket.poll()) closeFds(message);
  };
  // What the runtime opens once, it opens now.
  await all();
  const open = () => readdirSync("/proc/self/fd").length;
  const before = open();
  const rounds = 30;
  for (let i = 0; i < rounds; i++) await all();
  // A loader of the runtime's may open or close a few of its own meanwhile.
  assert.ok(open() - before < rounds / 2, `${open()} descriptors, ${before} before`);
});

test(`barrier() waits for ever with Infinity, and refuses what is no time (${runtime})`, async () => {
  using socket = holdNotifySocket(abstract());
  const { barrier, notify } = notifying(socket.address);
  let released = false;
  await notify({ ready: true });
  const done = barrier(Infinity).then((result) => {
    released = true;
    return result;
  });
  assert.equal((await socket.receive()).text, "READY=1");
  const message = await socket.receive();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(released, false);
  closeFds(message);
  assert.equal(await done, true);
  for (const time of [-1, NaN, "5" as unknown as number]) {
    const text = `Cannot wait for the service manager: the time is ${time}, not a number of milliseconds from 0 up`;
    await assert.rejects(barrier(time), rangeError(text));
  }
});
