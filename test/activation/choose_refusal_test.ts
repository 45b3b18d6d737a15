// Why `listen()` finds no descriptor.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fd3ErrorCode } from "../../src/errors.ts";
import type { Host } from "../../src/host.ts";
import type { DescriptorKind } from "../../src/linux/socket.ts";
import type { ListenOptions } from "../../src/types.ts";
import { choose } from "../fixtures/choose.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { fakeHost, forgetTable, ownPid } from "../fixtures/fake_host.ts";
import { plainFile } from "../fixtures/fake_files.ts";
import { connection, datagram, passed, stream } from "./fixtures/passed.ts";

type Refusal = readonly [
  what: string,
  host: () => Host,
  options: ListenOptions,
  code: Fd3ErrorCode,
  message: string | RegExp,
];
const refused: readonly Refusal[] = [
  [
    "two without a name",
    () => passed("a:b", stream(), stream()),
    {},
    "ERR_FD3_TOO_MANY_FDS",
    /^Too many file descriptors received: fd 3 "a" \(.*\), fd 4 "b" \(.*\); choose by `name`, which gives the next one of that name at each call, or take all with `all: true`$/,
  ],
  [
    "two without a name, a fallback or not",
    () => passed("a:a", stream(), stream()),
    { fallback: "80" },
    "ERR_FD3_TOO_MANY_FDS",
    /; call it once for each with `name: "a"`, which gives the next one each time, or take all with `all: true`$/,
  ],
  [
    "a name that none has",
    () => passed("a:b:a", stream(), stream(), stream()),
    { name: "c" },
    "ERR_FD3_NAME",
    'Cannot find a descriptor named "c": received were "a", "b"; FileDescriptorName= of the socket unit sets it',
  ],
  [
    "a name that none has, a fallback or not",
    () => passed("a", stream()),
    { name: "c", fallback: "80" },
    "ERR_FD3_NAME",
    'Cannot find a descriptor named "c": received were "a"; FileDescriptorName= of the socket unit sets it',
  ],
  [
    "a datagram socket",
    () => passed("a", datagram()),
    {},
    "ERR_FD3_KIND",
    /^Cannot adopt fd 3 as a stream listener: it is an IPv4 datagram socket; ListenDatagram= makes it: write ListenStream=$/,
  ],
  [
    "a connection",
    () => passed("a", connection()),
    {},
    "ERR_FD3_KIND",
    "Cannot adopt fd 3 as a stream listener: it is a non-listening IPv4 stream socket; " +
    "with Accept=yes systemd passes connections: set Accept=no",
  ],
  [
    "a file",
    () => passed("a:b", stream(), plainFile()),
    { name: "b" },
    "ENOTSOCK",
    /^Cannot adopt fd 4 as a stream listener: it is not a socket; takeFd\(\) gives /,
  ],
  ["a closed one", () => passed("a", undefined), {}, "EBADF", "Cannot adopt fd 3 as a stream listener: it is not open"],
  [
    "several of the wrong kind",
    () => passed("a:b", datagram(), plainFile()),
    {},
    "ERR_FD3_KIND",
    /^Cannot find a stream listener: received were fd 3 "a" \(it is an IPv4 datagram socket on 127.0.0.1:\d+\), fd 4 "b" \(it is not a socket\)$/,
  ],
];

for (const [what, host, options, code, message] of refused) {
  test(`choose() throws ${code} on ${what}`, () => {
    assert.throws(() => choose(host(), options), fd3Error(code, message));
  });
}

test("choose() throws ERR_FD3_NO_FDS where nothing was passed and there is no fallback", () => {
  forgetTable();
  assert.throws(
    () => choose(fakeHost()),
    fd3Error("ERR_FD3_NO_FDS", /^No file descriptors received: start its socket unit /),
  );
});

const watched = {
  readProc: (path: string) => path === "/proc/self/cmdline" ? "deno\0run\0--watch\0x.ts\0" : undefined,
};

test("choose() says where a watcher may have lost what was passed, and blames none for another kind", () => {
  forgetTable();
  const lost = /, or give `fallback`; a watcher that has reloaded the program has lost them: start it without --watch$/;
  assert.throws(() => choose(fakeHost(watched)), fd3Error("ERR_FD3_NO_FDS", lost));
  const one = (kind: DescriptorKind) => {
    forgetTable();
    const environment = { LISTEN_PID: String(ownPid), LISTEN_FDS: "1" };
    return fakeHost({ ...watched, environment, describe: () => kind });
  };
  const reloaded = /; a watcher reloaded the program and closed the socket: start it without --watch$/;
  assert.throws(() => choose(one({ is: "not a socket" })), fd3Error("ENOTSOCK", reloaded));
  const packet: DescriptorKind = { is: "socket", family: 2, type: 2, listening: false, address: undefined };
  assert.throws(
    () => choose(one(packet)),
    fd3Error("ERR_FD3_KIND", /; ListenDatagram= makes it: write ListenStream=$/),
  );
});
