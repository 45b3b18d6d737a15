import assert from "node:assert/strict";
import { test } from "node:test";
import { findRegistration, rearm } from "../src/linux/epoll.ts";
import { findSocket, type Placeholder, transplant, transplantWatched, unwatch } from "../src/linux/transplant.ts";
import { fd3Error } from "./fixtures/expect.ts";
import { epollSet, type FakeFile, FakeKernel, tcpSocket } from "./fixtures/fake_kernel.ts";

const O_NONBLOCK = 0o4000;
const EPOLLET = 0x80000000;
const events = 0x80000005;
const data = 0x5588_aabb_ccdd_eef0n;
const inheritedFd = 3;
const epollFd = 4;
const placeholderFd = 6;

/** A runtime at the moment after it opened its placeholder. */
class Runtime {
  readonly kernel: FakeKernel;
  readonly inherited: FakeFile = tcpSocket(0x100, 80);
  readonly replaced: FakeFile = tcpSocket(0x200, 40000);
  /** What could be seen when the placeholder was closed, each time. */
  readonly closedAt: string[][] = [];
  readonly before: string[];
  readonly placeholder: Placeholder = {
    address: { transport: "tcp", hostname: "127.0.0.1", port: 40000 },
    expected: placeholderFd,
    close: () => {
      this.closedAt.push(this.kernel.snapshot());
      this.kernel.close(placeholderFd);
    },
  };

  constructor(arch: "x64" | "arm64" = "x64", prepare: (kernel: FakeKernel, replaced: FakeFile) => void = () => {}) {
    this.kernel = new FakeKernel(arch);
    const { kernel, inherited, replaced } = this;
    const other = tcpSocket(0x300, 81);
    kernel.put(inheritedFd, inherited);
    kernel.put(5, other);
    kernel.put(placeholderFd, replaced, true);
    kernel.put(
      epollFd,
      epollSet({ fd: 5, file: other, events: 1, data: 1n }, { fd: placeholderFd, file: replaced, events, data }),
      true,
    );
    prepare(kernel, replaced);
    this.before = kernel.snapshot();
  }

  transplant(): number {
    return transplant(this.kernel.libc, inheritedFd, this.placeholder);
  }

  checkSuccess(extraEvents = 0): void {
    const { kernel, inherited } = this;
    assert.deepEqual(this.closedAt, []);
    const flags = `flags=${2 | O_NONBLOCK}`;
    assert.deepEqual(kernel.snapshot(), [
      `3 socket:[256] ${flags} cloexec=false`,
      "4 anon_inode:[eventpoll] flags=2 cloexec=true 5=socket:[768],1,1 " +
      `6=socket:[256],${((events | extraEvents) >>> 0).toString(16)},${data}`,
      "5 socket:[768] flags=2 cloexec=false",
      `6 socket:[256] ${flags} cloexec=true`,
    ]);
    assert.equal(kernel.fileAt(placeholderFd), inherited);
  }

  /** The placeholder was itself again when it was closed, and then only it is missing. */
  checkUndone(): void {
    assert.deepEqual(this.closedAt, [this.before]);
    this.kernel.put(placeholderFd, this.replaced, true);
    this.kernel.fileAt(epollFd)?.watches?.push({ fd: placeholderFd, file: this.replaced, events, data });
    assert.deepEqual(this.kernel.snapshot(), this.before);
  }
}

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

test("transplantWatched() watches for more, and gives how the runtime watched the placeholder", () => {
  const extra = 1 << 28;
  const runtime = new Runtime();
  const { libc } = runtime.kernel;
  const registration = transplantWatched(libc, inheritedFd, runtime.placeholder, extra);
  assert.deepEqual(registration, { epollFd, entry: { fd: placeholderFd, events, data, inode: 0x100 } });
  runtime.checkSuccess(extra);
});

test("unwatch() makes the runtime forget the socket, which stays open", () => {
  const runtime = new Runtime();
  const { libc } = runtime.kernel;
  const registration = transplantWatched(libc, inheritedFd, runtime.placeholder);
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

test("findSocket() finds it where it is expected, and elsewhere", () => {
  const { kernel, placeholder } = new Runtime();
  const lookedAt = (expected?: number) => {
    kernel.calls.length = 0;
    assert.equal(findSocket(kernel.libc, placeholder.address, expected), placeholderFd);
    return kernel.calls.flatMap((call) => /^getsockname\((-?\d+)\)$/.exec(call)?.[1] ?? []).map(Number);
  };
  assert.deepEqual(lookedAt(placeholderFd), [6]);
  // There may be another.
  const all = Array.from({ length: 61 }, (_, i) => 3 + i);
  assert.deepEqual(lookedAt(), all);
  for (const wrong of [4, 7, -24]) assert.deepEqual(lookedAt(wrong), [wrong, ...all]);
  kernel.close(placeholderFd);
  const message = "Cannot find the placeholder: no listener has its address";
  assert.throws(
    () => findSocket(kernel.libc, placeholder.address, placeholderFd),
    fd3Error("ERR_FD3_TRANSPLANT", message),
  );
});

test("findSocket() takes neither a datagram socket nor a connection for a listener, and no listener for another", () => {
  const { kernel, placeholder, replaced } = new Runtime();
  const find = (expected?: number) => findSocket(kernel.libc, placeholder.address, expected);
  const SOCK_DGRAM = 2;
  // Before the placeholder, and where it is expected.
  for (const other of [tcpSocket(0x500, 40000, SOCK_DGRAM), tcpSocket(0x501, 40000, 1, false)]) {
    kernel.put(5, other);
    for (const expected of [undefined, 5]) assert.equal(find(expected), placeholderFd);
  }
  // A duplicate is the same listener, and another one may be meant as well.
  kernel.put(5, replaced);
  assert.equal(find(), 5);
  kernel.put(5, tcpSocket(0x502, 40000));
  assert.equal(find(placeholderFd), placeholderFd);
  const message = "Cannot find the placeholder: several listeners have its address";
  assert.throws(() => find(), fd3Error("ERR_FD3_TRANSPLANT", message));
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

test("findRegistration() takes duplicates of one set for one", () => {
  const runtime = new Runtime("x64", (kernel) => kernel.put(7, kernel.fileAt(epollFd)!));
  assert.equal(findRegistration(runtime.kernel.libc, placeholderFd).epollFd, epollFd);
});

test("findRegistration() asks the set that had the last one first, and finds it elsewhere", () => {
  const { kernel } = new Runtime();
  const lookedUp = () => kernel.calls.splice(0).filter((call) => /^readlink/.test(call)).length;
  findRegistration(kernel.libc, placeholderFd);
  assert.equal(lookedUp(), 3);
  findRegistration(kernel.libc, placeholderFd);
  assert.equal(lookedUp(), 1);
  kernel.put(8, kernel.fileAt(epollFd)!);
  kernel.close(epollFd);
  assert.equal(findRegistration(kernel.libc, placeholderFd).epollFd, 8);
});

test("findRegistration() tells the placeholder's entry from the one of an earlier socket of its number", () => {
  const runtime = new Runtime("x64", (kernel) => {
    const old = kernel.put(7, tcpSocket(0x400, 82));
    kernel.fileAt(epollFd)!.watches!.unshift({ fd: placeholderFd, file: old, events: 1, data: 9n });
  });
  assert.equal(findRegistration(runtime.kernel.libc, placeholderFd).entry.data, data);
});
