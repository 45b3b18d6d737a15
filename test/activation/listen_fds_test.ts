import assert from "node:assert/strict";
import { test } from "node:test";
import { readListenFds } from "../../src/activation/listen_fds.ts";
import { listenFds, table } from "../../src/activation/table.ts";
import type { Fd3ErrorCode } from "../../src/errors.ts";
import type { Host } from "../../src/host.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { fakeHost, forgetTable, ownPid } from "../fixtures/fake_host.ts";
import { tcpSocket } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";
import { env as template, forProcess, type Row, rowsFor, unknown } from "../oracle/rows.ts";

/** Six sockets at 3 to 8. */
function sixSockets(): FakeKernel {
  const kernel = new FakeKernel();
  for (let fd = 3; fd <= 8; fd++) kernel.put(fd, tcpSocket(fd, 8000 + fd));
  return kernel;
}

const me = String(ownPid);
const env = (...given: Parameters<typeof template>) => forProcess(ownPid, template(...given));
const pidfsMagic = 0x50494446;

function check(row: Row, host: Host): void {
  const [, environment, expected] = row;
  if (typeof expected === "string") {
    assert.throws(() => readListenFds(environment, host), fd3Error(expected));
  } else {
    assert.deepEqual(readListenFds(environment, host), expected.map((name, i) => ({ fd: 3 + i, name })));
  }
}

for (const row of rowsFor(ownPid)) {
  const [id, environment, expected] = row;
  const result = typeof expected === "string" ? `throws ${expected}` : `returns ${expected.length}`;
  test(`readListenFds() ${result} for ${JSON.stringify(environment)} (${id})`, () => {
    check(row, fakeHost({ libc: sixSockets().libc }));
  });
}

test("readListenFds() sets FD_CLOEXEC on what was passed and on nothing else", () => {
  const kernel = sixSockets();
  readListenFds(env("2"), fakeHost({ libc: kernel.libc }));
  assert.deepEqual([3, 4, 5, 6, 7, 8].map((fd) => kernel.cloexecAt(fd)), [true, true, false, false, false, false]);
});

test("readListenFds() sets FD_CLOEXEC before it throws for a name too few, and up to the first closed descriptor", () => {
  for (const [environment, code] of [[env("6", "a"), "EINVAL"], [env("7"), "EBADF"]] as const) {
    const kernel = sixSockets();
    assert.throws(() => readListenFds(environment, fakeHost({ libc: kernel.libc })), fd3Error(code));
    assert.deepEqual([3, 4, 5, 6, 7, 8].map((fd) => kernel.cloexecAt(fd)), Array(6).fill(true));
  }
});

test("readListenFds() touches no descriptor where the environment is of another process", () => {
  const kernel = sixSockets();
  readListenFds(env("6", undefined, "1"), fakeHost({ libc: kernel.libc }));
  assert.deepEqual(kernel.calls, []);
});

test("readListenFds() names the closed descriptor", () => {
  const message = "Cannot use fd 9: LISTEN_FDS announces it, and it is not open";
  assert.throws(() => readListenFds(env("7"), fakeHost({ libc: sixSockets().libc })), fd3Error("EBADF", message));
});

test("readListenFds() asks Host.isOpen() before libc", () => {
  const libc = sixSockets();
  const isOpen = (answer: boolean | undefined) => fakeHost({ libc: libc.libc, isOpen: () => answer });
  assert.equal(readListenFds(env("200"), isOpen(true)).length, 200);
  assert.throws(() => readListenFds(env("1"), isOpen(false)), fd3Error("EBADF"));
  assert.deepEqual(libc.calls, []);
  assert.throws(() => readListenFds(env("7"), isOpen(undefined)), fd3Error("EBADF"));
});

test("readListenFds() believes LISTEN_FDS where nobody can tell what is open", () => {
  assert.equal(readListenFds(env("200"), fakeHost()).length, 200);
});

test("readListenFds() throws EBADF for more than a process has where nobody can tell what is open, before the names", () => {
  for (const [count, highest] of [["1048574", 1048576], ["20000000", 20000002], ["2147483644", 2147483646]] as const) {
    const message = `Cannot use fd ${highest}: LISTEN_FDS announces it, and it is not open`;
    for (const names of [undefined, "a"]) {
      assert.throws(() => readListenFds(env(count, names), fakeHost()), fd3Error("EBADF", message));
    }
  }
  assert.throws(() => readListenFds(env("1048573", "a"), fakeHost()), fd3Error("EINVAL"));
});

test("readListenFds() asks no further than the first descriptor that is not open, however many are announced", () => {
  const kernel = sixSockets();
  assert.throws(() => readListenFds(env("2147483644"), fakeHost({ libc: kernel.libc })), fd3Error("EBADF"));
  assert.equal(kernel.calls.filter((call) => call.startsWith("fcntl(") && call.endsWith(", 1, 0)")).length, 7);
  let asked = 0;
  const isOpen = (fd: number) => ++asked > 0 && fd <= 8;
  assert.throws(() => readListenFds(env("2147483644"), fakeHost({ isOpen })), fd3Error("EBADF"));
  assert.ok(asked <= 8, `${asked} times`);
});

/** A kernel whose pidfds have this fdinfo. */
function withPidfd(text: string, statfsMagic = pidfsMagic): Host {
  const kernel = sixSockets();
  kernel.pidfd = { target: "anon_inode:[pidfd]", flags: 2, statfsMagic, text };
  return fakeHost({ libc: kernel.libc });
}

const l19: readonly (readonly [what: string, id: string, host: () => Host, expected: number | Fd3ErrorCode])[] = [
  ["our own id", "4711", () => withPidfd("ino:\t4711\n"), 2],
  ["our own id above 2^53", "9007199254740993", () => withPidfd("ino:\t9007199254740993\n"), 2],
  ["an id of another process", "4712", () => withPidfd("ino:\t4711\n"), 0],
  ["an id that differs above 2^53", "9007199254740992", () => withPidfd("ino:\t9007199254740993\n"), 0],
  ["no number", "junk", () => withPidfd("ino:\t4711\n"), "EINVAL"],
  ["an empty id", "", () => withPidfd("ino:\t4711\n"), "EINVAL"],
  ["a negative id", "-1", () => withPidfd("ino:\t4711\n"), "ERANGE"],
  ["an id above 2^64", "18446744073709551616", () => withPidfd("ino:\t4711\n"), "ERANGE"],
  ["any id on a kernel whose pidfds are anonymous inodes", "4712", () => withPidfd("ino:\t4711\n", 0x09041934), 2],
  ["any id on a kernel without ino: in fdinfo", "4712", () => withPidfd("Pid:\t1234\n"), 2],
  ["any id on a kernel without pidfd_open", "4712", () => fakeHost({ libc: sixSockets().libc }), 2],
  ["any id without libc", "4712", () => fakeHost(), 2],
  ["no number without libc", "junk", () => fakeHost(), "EINVAL"],
];

for (const [what, id, host, expected] of l19) {
  const result = typeof expected === "string" ? "throws" : "returns";
  test(`readListenFds() ${result} ${expected} for a LISTEN_PIDFDID that is ${what} (L19)`, () => {
    check(["L19", env("2", undefined, me, id), typeof expected === "string" ? expected : unknown(expected)], host());
  });
}

test("readListenFds() never asks for the pidfd where LISTEN_PID is another process (L19)", () => {
  check(["L19", env("2", undefined, "1", "junk"), []], fakeHost({ libc: sixSockets().libc }));
});

test("readListenFds() closes its pidfd and what it read (L19)", () => {
  const kernel = sixSockets();
  kernel.pidfd = { target: "anon_inode:[pidfd]", flags: 2, statfsMagic: pidfsMagic, text: "ino:\t4711\n" };
  readListenFds(env("2", undefined, me, "4711"), fakeHost({ libc: kernel.libc }));
  assert.equal(kernel.snapshot().length, 6);
});

/** A host with this environment, in a process that has asked for nothing yet. */
function fresh(environment: Record<string, string | undefined>) {
  forgetTable();
  const set = { ...environment, LISTEN_PIDFDID: "1", PATH: "/bin" };
  return fakeHost({ libc: sixSockets().libc, environment: set as Record<string, string> });
}

const l18: readonly Row[] = [
  ["descriptors", env("2", "a:b"), ["a", "b"]],
  ["nothing for us", env("2", "a:b", "1"), []],
  ["a count of 0", env("0", "a"), "EINVAL"],
  ["names that end in a backslash", env("2", "a\\"), "EINVAL"],
  ["a PID out of range", env("2", "a", "0"), "ERANGE"],
  ["a closed descriptor", env("7", "a"), "EBADF"],
  ["a name too few", env("2", "a"), "EINVAL"],
];

for (const [what, environment, expected] of l18) {
  const outcome = (host: Host, options?: { keepEnv?: boolean }): unknown => {
    try {
      return listenFds(host, options);
    } catch (error) {
      return error;
    }
  };

  test(`listenFds() takes the variables away, and answers a second call alike, on ${what} (L18)`, () => {
    const host = fresh(environment);
    const first = outcome(host);
    assert.deepEqual(host.environment, { PATH: "/bin" });
    const second = outcome(host);
    if (typeof expected === "string") {
      assert.equal((first as { code?: unknown }).code, expected);
      assert.equal(second, first);
    } else {
      assert.deepEqual(first, expected.map((name, i) => ({ fd: 3 + i, name })));
      assert.deepEqual(second, first);
    }
  });

  test(`listenFds() leaves the variables if keepEnv is set, until a call without it, on ${what} (L18)`, () => {
    const host = fresh(environment);
    const before = { ...host.environment };
    const first = outcome(host, { keepEnv: true });
    assert.deepEqual(host.environment, before);
    assert.deepEqual(outcome(host, { keepEnv: false }), first);
    assert.deepEqual(host.environment, { PATH: "/bin" });
  });
}

test("listenFds() gives each caller a list of its own", () => {
  const host = fresh(env("2"));
  listenFds(host).pop();
  assert.equal(listenFds(host).length, 2);
});

test("table() remembers the environment as it was", () => {
  const host = fresh(env("2", "a:b"));
  assert.deepEqual(table(host).env, { ...env("2", "a:b"), LISTEN_PIDFDID: "1" });
  host.environment.LISTEN_FDS = "6";
  assert.equal(table(host).env.LISTEN_FDS, "2");
  assert.deepEqual(host.environment, { PATH: "/bin" });
});
