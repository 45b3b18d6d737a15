// How a placeholder's descriptor is found, and how the runtime watches it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findRegistration } from "../../src/linux/epoll.ts";
import { findSocket } from "../../src/linux/transplant.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { tcpSocket } from "../fixtures/fake_files.ts";
import { data, epollFd, inheritedFd, placeholderFd, Runtime } from "./fixtures/fake_runtime.ts";

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

for (
  const [what, high] of [["20 closed numbers", 24], ["more than the smallest table has", 70], [
    "thousands",
    5000,
  ]] as const
) {
  test(`findRegistration() and findSocket() find what is behind ${what}`, () => {
    const { kernel, placeholder, replaced } = new Runtime();
    const set = kernel.fileAt(epollFd)!;
    for (const fd of [inheritedFd, epollFd, 5]) kernel.close(fd);
    kernel.put(high, set, true);
    assert.equal(findRegistration(kernel.libc, placeholderFd).epollFd, high);
    kernel.put(high, replaced);
    kernel.close(placeholderFd);
    assert.equal(findSocket(kernel.libc, placeholder.address), high);
  });
}

test("findRegistration() and findSocket() end with the table where there is nothing to find", () => {
  const { kernel, placeholder } = new Runtime();
  kernel.close(epollFd);
  kernel.close(placeholderFd);
  kernel.put(200, tcpSocket(0x500, 83));
  kernel.calls.length = 0;
  const highest = (name: RegExp) =>
    Math.max(...kernel.calls.splice(0).map((call) => Number(name.exec(call)?.[1] ?? 0)));
  assert.throws(() => findRegistration(kernel.libc, 5), fd3Error("ERR_FD3_TRANSPLANT"));
  assert.equal(highest(/^readlink\(\/proc\/self\/fd\/(\d+)/), 255);
  assert.throws(() => findSocket(kernel.libc, placeholder.address), fd3Error("ERR_FD3_TRANSPLANT"));
  assert.equal(highest(/^getsockname\((\d+)/), 255);
});

test("findRegistration() tells the placeholder's entry from the one of an earlier socket of its number", () => {
  const runtime = new Runtime("x64", (kernel) => {
    const old = kernel.put(7, tcpSocket(0x400, 82));
    kernel.fileAt(epollFd)!.watches!.unshift({ fd: placeholderFd, file: old, events: 1, data: 9n });
  });
  assert.equal(findRegistration(runtime.kernel.libc, placeholderFd).entry.data, data);
});

test("findRegistration() does not ask how long the table is where it finds the set among the first numbers", () => {
  const { kernel } = new Runtime();
  findRegistration(kernel.libc, placeholderFd);
  assert.equal(kernel.calls.includes("open(/proc/self/status)"), false);
});
