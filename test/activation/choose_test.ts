import assert from "node:assert/strict";
import { test } from "node:test";
import { choose as chooseFds, putBack, streamListener, take } from "../../src/activation/choose.ts";
import { refusalError } from "../../src/activation/refusal.late.ts";
import type { Host } from "../../src/host.ts";
import type { ListenOptions } from "../../src/types.ts";
import { choose, chooseAll } from "../fixtures/choose.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { fakeHost, forgetTable, ownPid } from "../fixtures/fake_host.ts";
import { plainFile } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";
import { connection, datagram, passed, stream } from "./fixtures/passed.ts";

const chosen: readonly (readonly [what: string, host: () => Host, options: ListenOptions, fd: number])[] = [
  ["the only one", () => passed(undefined, stream()), {}, 3],
  ["the only one although there is a fallback", () => passed("a", stream()), { fallback: "127.0.0.1:0" }, 3],
  ["the only one of its kind", () => passed("a:b:c:d", datagram(), plainFile(), stream(), connection()), {}, 5],
  ["the one with the name", () => passed("a:b", stream(), stream()), { name: "b" }, 4],
  ["the one without a name", () => passed("a:", stream(), stream()), { name: "" }, 4],
  ["the unnamed one", () => passed(undefined, stream()), { name: "unknown" }, 3],
  ["the first with the name", () => passed("a:b:b", stream(), stream(), stream()), { name: "b" }, 4],
  ["the first of its kind with the name", () => passed("b:b", datagram(), stream()), { name: "b" }, 4],
  ["my\\x2dapp.socket as it came", () => passed("my\\x2dapp.socket:a", stream(), stream()), {
    name: "myx2dapp.socket",
  }, 3],
  ["my\\x2dapp.socket as the unit is called", () => passed("my\\x2dapp.socket:a", stream(), stream()), {
    name: "my\\x2dapp.socket",
  }, 3],
  ["my\\x2dapp.socket as it came escaped twice", () => passed("my\\\\x2dapp.socket:a", stream(), stream()), {
    name: "my\\x2dapp.socket",
  }, 3],
];

for (const [what, host, options, fd] of chosen) {
  test(`choose() chooses ${what}`, () => assert.equal(choose(host(), options).fd, fd));
}

test("choose() tells the name and the kind", () => {
  const address = { transport: "tcp", hostname: "127.0.0.1", port: 80 };
  const kind = { is: "socket", family: 2, type: 1, listening: true, address };
  const { fd, name, kind: found } = choose(passed("web", stream()));
  assert.deepEqual({ fd, name, kind: found }, { fd: 3, name: "web", kind });
});

test("choose() gives equal names in turn, as they are taken", () => {
  const host = passed("a:b:a", stream(), stream(), stream());
  const first = choose(host, { name: "a" });
  assert.equal(choose(host, { name: "a" }).fd, first.fd);
  take(host, first);
  const second = choose(host, { name: "a" });
  assert.deepEqual([first.fd, second.fd], [3, 5]);
  take(host, second);
  const text = 'Cannot take a descriptor twice: received were fd 3 "a" (taken before), fd 5 "a" (taken before)';
  assert.throws(() => choose(host, { name: "a" }), fd3Error("ERR_FD3_TAKEN", text));
  assert.equal(choose(host).fd, 4);
  putBack(host, first);
  assert.equal(choose(host, { name: "a" }).fd, 3);
});

const several: readonly (readonly [what: string, host: () => Host, options: ListenOptions, fds: number[]])[] = [
  ["all that fit, whatever their names", () => passed("a:b:c", stream(), datagram(), stream()), {}, [3, 5]],
  ["all with the name that fit", () => passed("a:b:b:b", stream(), stream(), plainFile(), stream()), { name: "b" }, [
    4,
    6,
  ]],
  ["all although there is but one", () => passed("a", stream()), { fallback: "127.0.0.1:0" }, [3]],
];

for (const [what, host, options, fds] of several) {
  test(`choose() with all chooses ${what}`, () => {
    assert.deepEqual(chooseAll(host(), { ...options, all: true }).map(({ fd }) => fd), fds);
  });
}

test("choose() with all passes over those that are taken", () => {
  const host = passed("a:a:a", stream(), stream(), stream());
  take(host, choose(host, { name: "a" }));
  const rest = chooseAll(host, { all: true });
  assert.deepEqual(rest.map(({ fd }) => fd), [4, 5]);
  for (const choice of rest) take(host, choice);
  assert.throws(() => chooseAll(host, { all: true }), fd3Error("ERR_FD3_TAKEN", /^Cannot take a descriptor twice: /));
});

test("choose() tells what was wanted of another kind", () => {
  const pipe = { what: "a FIFO", line: "ListenFIFO=", fits: () => false };
  const refusal = chooseFds(passed("a", datagram()), pipe, {});
  assert.ok(refusal !== undefined && "refused" in refusal);
  const text =
    "Cannot adopt fd 3 as a FIFO: it is an IPv4 datagram socket; ListenDatagram= makes it: write ListenFIFO=";
  assert.equal(refusalError(refusal, fakeHost()).message, text);
});

test("choose() looks at each of many with one name when it is its turn, and at no other", () => {
  forgetTable();
  const [kernel, count] = [new FakeKernel(), 50];
  for (let fd = 3; fd < 3 + count; fd++) kernel.put(fd, stream());
  const LISTEN_FDNAMES = Array(count).fill("a").join(":");
  const environment = { LISTEN_PID: String(ownPid), LISTEN_FDS: String(count), LISTEN_FDNAMES };
  const host = fakeHost({ libc: kernel.libc, environment });
  for (let fd = 3; fd < 3 + count; fd++) {
    const choice = choose(host, { name: "a" });
    assert.equal(choice.fd, fd);
    take(host, choice);
  }
  assert.equal(kernel.calls.filter((call) => call.startsWith("getsockname(")).length, count);
  assert.throws(() => choose(passed(undefined, stream(), stream(), stream())), fd3Error("ERR_FD3_TOO_MANY_FDS"));
});

test("choose() throws what listenFds() throws, also with a fallback", () => {
  const host = passed("a:b", stream());
  assert.throws(() => choose(host, { fallback: "80" }), fd3Error("EINVAL", /^Cannot read LISTEN_FDNAMES: /));
});

/** A process without libc that was passed one descriptor. */
function blind(describe?: Host["describe"]): Host {
  forgetTable();
  return fakeHost({ environment: { LISTEN_PID: String(ownPid), LISTEN_FDS: "1" }, describe });
}

test("choose() asks Host.describe() where there is no libc, and believes where nobody can tell", () => {
  assert.throws(() => choose(blind(() => ({ is: "not a socket" }))), fd3Error("ENOTSOCK"));
  assert.deepEqual(choose(blind(() => undefined)).kind, undefined);
  assert.deepEqual(choose(blind()).fd, 3);
});

test("choose() gives undefined where nothing was passed and there is a fallback", () => {
  const environments: Record<string, string>[] = [{}, { LISTEN_PID: "1", LISTEN_FDS: "1" }];
  for (const environment of environments) {
    forgetTable();
    const host = fakeHost({ environment });
    assert.equal(chooseFds(host, streamListener, { name: "a", fallback: "127.0.0.1:0" }), undefined);
    assert.equal(chooseFds(host, streamListener, { all: true, fallback: "127.0.0.1:0" }), undefined);
  }
});

test("choose() takes the variables away unless keepEnv is set", () => {
  const host = passed("a", stream());
  choose(host, { keepEnv: true });
  assert.equal(host.env("LISTEN_FDS"), "1");
  choose(host);
  assert.equal(host.env("LISTEN_FDS"), undefined);
});
