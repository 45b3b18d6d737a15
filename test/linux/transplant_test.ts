import assert from "node:assert/strict";
import { test } from "node:test";
import { findRegistration, rearm } from "../../src/linux/epoll.ts";
import { openTransplanted, transplant, unwatch } from "../../src/linux/transplant.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { type FakeFile, tcpSocket } from "../fixtures/fake_files.ts";
import type { FakeKernel } from "../fixtures/fake_kernel.ts";
import {
  data,
  EPOLLET,
  epollFd,
  events,
  inheritedFd,
  O_NONBLOCK,
  placeholderFd,
  Runtime,
} from "./fixtures/fake_runtime.ts";

for (const arch of ["x64", "arm64"] as const) {
  test(`transplant() puts the inherited socket where the placeholder was, watched as it was, on ${arch}`, () => {
    const runtime = new Runtime(arch);
    assert.equal(runtime.transplant(), placeholderFd);
    runtime.checkSuccess();
  });
}

test("transplant() gives struct epoll_event as the processor has it", () => {
  const head = [0x05, 0, 0, 0x80];
  const tail = [0xf0, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x88, 0x55];
  const x64 = new Runtime("x64");
  x64.transplant();
  assert.deepEqual(x64.kernel.epollEvent, Uint8Array.of(...head, ...tail));
  const arm64 = new Runtime("arm64");
  arm64.transplant();
  assert.deepEqual(arm64.kernel.epollEvent, Uint8Array.of(...head, 0, 0, 0, 0, ...tail));
});

test("rearm() changes the events that findRegistration() found", () => {
  const runtime = new Runtime();
  runtime.transplant();
  const registration = findRegistration(runtime.kernel.libc, placeholderFd);
  assert.deepEqual(registration, { epollFd, entry: { fd: placeholderFd, events, data, inode: 0x100 } });
  assert.equal(rearm(runtime.kernel.libc, registration, EPOLLET), 0);
  runtime.checkSuccess(EPOLLET);
});

test("transplant() watches for more, and gives how the runtime watched the placeholder", () => {
  const extra = 1 << 28;
  const runtime = new Runtime();
  const { libc } = runtime.kernel;
  const registration = transplant(libc, inheritedFd, runtime.placeholder, extra);
  assert.deepEqual(registration, { epollFd, entry: { fd: placeholderFd, events, data, inode: 0x100 } });
  runtime.checkSuccess(extra);
});

test("openTransplanted() opens the placeholder, and gives what was opened and how it was watched", () => {
  const runtime = new Runtime();
  const { address, close } = runtime.placeholder;
  const { watched, name } = openTransplanted(runtime.kernel.libc, inheritedFd, () => ({ address, close, name: "x" }));
  assert.deepEqual(watched, { epollFd, entry: { fd: placeholderFd, events, data, inode: 0x100 } });
  assert.equal(name, "x");
  runtime.checkSuccess();
});

test("openTransplanted() changes nothing where no placeholder can be opened", () => {
  const runtime = new Runtime();
  const failure = new Error("no more of them");
  const open = () => {
    throw failure;
  };
  assert.throws(() => openTransplanted(runtime.kernel.libc, inheritedFd, open), (error) => error === failure);
  assert.deepEqual(runtime.kernel.snapshot(), runtime.before);
});

test("unwatch() makes the runtime forget the socket, which stays open", () => {
  const runtime = new Runtime();
  const { libc } = runtime.kernel;
  const registration = transplant(libc, inheritedFd, runtime.placeholder);
  assert.equal(unwatch(libc, registration), 0);
  assert.equal(runtime.kernel.fileAt(placeholderFd), runtime.inherited);
  assert.deepEqual(runtime.kernel.fileAt(epollFd)?.watches?.map(({ fd }) => fd), [5]);
});

test("transplant() leaves the flags of a socket alone that does not block already", () => {
  const runtime = new Runtime();
  runtime.inherited.flags |= O_NONBLOCK;
  runtime.transplant();
  runtime.checkSuccess();
  assert.deepEqual(runtime.kernel.calls.filter((call) => call.startsWith("fcntl(3")), ["fcntl(3, 3, 0)"]);
});

const notWatched = "Cannot find how fd 6 is watched: no epoll set has it";

/** The calls whose failure ends it: the nth of its kind, and what is said. All others may fail. */
const fatal: readonly (readonly [call: string, nth: number, message: string])[] = [
  ["readlink(/proc/self/fd/3)", 1, "Cannot read which socket fd 3 is"],
  ["readlink(/proc/self/fd/6)", 1, notWatched],
  ["readlink(/proc/self/fd/4)", 1, notWatched],
  ["open(/proc/self/fdinfo/4)", 1, notWatched],
  ["read(7, 16384)", 1, notWatched],
  ["read(7, 16384)", 2, notWatched],
  ["read(7, 16384)", 3, notWatched],
  ["fcntl(3, 3, 0)", 1, "Cannot read the flags of fd 3: EINVAL"],
  ["fcntl(3, 4, 2050)", 1, "Cannot make fd 3 non-blocking: EINVAL"],
  ["fcntl(6, 1030, 3)", 1, "Cannot keep the placeholder: EINVAL"],
  ["dup3(3, 6, 524288)", 1, "Cannot put fd 3 in the placeholder's place: EINVAL"],
  ["epoll_ctl(4, 1, 6)", 1, "Cannot watch fd 6: EINVAL"],
  ["readlink(/proc/self/fd/6)", 2, "Cannot find the inherited socket in its new place, fd 6"],
];

/** The calls of a transplant that succeeds, and which one of its kind each is. */
const calls = (() => {
  const runtime = new Runtime();
  runtime.transplant();
  const { calls } = runtime.kernel;
  return calls.map((call, i) => ({ call, nth: calls.slice(0, i + 1).filter((c) => c === call).length }));
})();

calls.forEach(({ call, nth }, index) => {
  const message = fatal.find(([name, n]) => name === call && n === nth)?.[2];
  const outcome = message === undefined ? "succeeds" : "undoes everything";
  test(`transplant() ${outcome} where call ${index}, ${call}, fails`, () => {
    const runtime = new Runtime();
    runtime.kernel.failing = index;
    if (message === undefined) {
      runtime.transplant();
      runtime.checkSuccess();
    } else {
      assert.throws(() => runtime.transplant(), fd3Error("ERR_FD3_TRANSPLANT", message));
      runtime.checkUndone();
    }
    assert.equal(runtime.kernel.calls[index], call);
  });
});

test("transplant() makes each of the calls that can end it", () => {
  const made = (name: string, n: number) => calls.some(({ call, nth }) => call === name && nth === n);
  assert.deepEqual(fatal.filter(([name, n]) => !made(name, n)), []);
});

type Watches = readonly [what: string, prepare: (kernel: FakeKernel, replaced: FakeFile) => void];

const refused: readonly Watches[] = [
  ["no set watches the placeholder", (kernel) => {
    kernel.fileAt(epollFd)!.watches!.pop();
  }],
  ["the set watches a socket that had this number before", (kernel) => {
    const old = tcpSocket(0x400, 82);
    kernel.put(7, old);
    kernel.fileAt(epollFd)!.watches!.splice(1, 1, { fd: placeholderFd, file: old, events, data });
  }],
  ["the set watches the placeholder under another number alone", (kernel, file) => {
    kernel.put(7, file);
    kernel.fileAt(epollFd)!.watches!.splice(1, 1, { fd: 7, file, events, data });
  }],
];

for (const [what, prepare] of refused) {
  test(`transplant() refuses and undoes everything where ${what}`, () => {
    const runtime = new Runtime("x64", prepare);
    assert.throws(() => runtime.transplant(), fd3Error("ERR_FD3_TRANSPLANT", notWatched));
    assert.deepEqual(runtime.closedAt, [runtime.before]);
    assert.equal(runtime.inherited.flags, 2);
    assert.deepEqual(runtime.kernel.calls.filter((call) => /^(dup3|epoll_ctl|fcntl)/.test(call)), []);
  });
}
