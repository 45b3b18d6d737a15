import assert from "node:assert/strict";
import fs from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { describeByProc } from "../../runtimes/node/inspect.ts";
import { SOCK_DGRAM } from "../../src/linux/constants.ts";
import { describe } from "../../src/linux/socket.ts";
import { libc, runtime } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix } from "../fixtures/sockets.ts";

/** Runs something, and gives which tables below /proc/net were read for it. */
function tablesRead(action: () => void): string[] {
  const { readFileSync } = fs;
  const read: string[] = [];
  fs.readFileSync = ((path: string, ...rest: []) => {
    if (path.startsWith("/proc/net/")) read.push(path.slice("/proc/net/".length));
    return readFileSync(path, ...rest);
  }) as typeof readFileSync;
  try {
    action();
  } finally {
    fs.readFileSync = readFileSync;
  }
  return read;
}

/** The kind without the address of a TCP socket, which the tables are not asked for. */
function expected(fd: number) {
  const kind = describe(libc(), fd);
  return kind.is === "socket" && kind.address?.transport === "tcp" ? { ...kind, address: undefined } : kind;
}

// There node:fs looks at numbers of Deno's own, not at descriptors, and Deno has an inspect() for nothing.
const skip = runtime === "Deno" && "Deno needs no /proc for it, and its node:fs cannot see descriptors";
// Deno's runner does not say why it leaves out a test.
if (skip) console.log(skip);

test(`describeByProc() reads each table at most once for as many sockets as there are (${runtime})`, { skip }, () => {
  const held: Held[] = [];
  for (let i = 0; i < 20; i++) {
    held.push(holdTcp(), holdUnix(`@fd3-inspect-${process.pid}-${i}`), holdTcp({ type: SOCK_DGRAM }));
  }
  const read = tablesRead(() => {
    for (let round = 0; round < 3; round++) {
      for (const { fd } of held) assert.deepEqual(describeByProc(fd), expected(fd));
    }
  });
  for (const file of ["tcp", "udp"]) assert.equal(read.filter((name) => name === file).length, file === "tcp" ? 2 : 1);
  assert.ok(read.length <= 10, read.join());
  for (const one of held) one[Symbol.dispose]();
  assert.deepEqual(describeByProc(held[0].fd), { is: "closed" });
});

test(
  `describeByProc() sees that a socket listens by now, and that a number is another's (${runtime})`,
  { skip },
  () => {
    using silent = holdUnix(`@fd3-inspect-${process.pid}-late`, { backlog: null });
    assert.deepEqual(describeByProc(silent.fd), expected(silent.fd));
    libc().listen(silent.fd, 8);
    assert.deepEqual(describeByProc(silent.fd), expected(silent.fd));
    using other = holdTcp({ type: SOCK_DGRAM });
    libc().dup3(other.fd, silent.fd, 0);
    assert.deepEqual(describeByProc(silent.fd), expected(other.fd));
  },
);
