import assert from "node:assert/strict";
import { test } from "node:test";
import { findRegistration } from "../src/linux/epoll.ts";
import { findSocket } from "../src/linux/transplant.ts";
import type { Address } from "../src/types.ts";
import { fd3Error } from "./fixtures/expect.ts";
import { epollSet, FakeKernel, tcpSocket } from "./fixtures/fake_kernel.ts";

const address: Address = { transport: "tcp", hostname: "127.0.0.1", port: 40000 };

/** How far the calls of one kind went. */
const highest = (kernel: FakeKernel, name: RegExp) =>
  Math.max(...kernel.calls.splice(0).map((call) => Number(name.exec(call)?.[1] ?? 0)));

for (const gap of [20, 70, 1000]) {
  test(`findRegistration() and findSocket() find what is behind ${gap} closed numbers`, () => {
    const kernel = new FakeKernel();
    const socket = kernel.put(gap + 4, tcpSocket(0x200, 40000));
    kernel.put(gap + 3, epollSet({ fd: gap + 4, file: socket, events: 5, data: 7n }));
    assert.equal(findRegistration(kernel.libc, gap + 4).epollFd, gap + 3);
    assert.equal(findSocket(kernel.libc, address), gap + 4);
  });
}

test("findRegistration() and findSocket() end with the table where there is nothing to find", () => {
  for (const [open, last] of [[9, 63], [200, 255]]) {
    const kernel = new FakeKernel();
    kernel.put(5, tcpSocket(0x200, 81));
    kernel.put(open, tcpSocket(0x300, 82));
    assert.throws(() => findRegistration(kernel.libc, 5), fd3Error("ERR_FD3_TRANSPLANT"));
    assert.equal(highest(kernel, /^readlink\(\/proc\/self\/fd\/(\d+)/), last);
    assert.throws(() => findSocket(kernel.libc, address), fd3Error("ERR_FD3_TRANSPLANT"));
    assert.equal(highest(kernel, /^getsockname\((\d+)/), last);
  }
});

test("findRegistration() does not ask how long the table is where it finds the set among the first numbers", () => {
  const kernel = new FakeKernel();
  const socket = kernel.put(6, tcpSocket(0x200, 40000));
  kernel.put(4, epollSet({ fd: 6, file: socket, events: 5, data: 7n }));
  findRegistration(kernel.libc, 6);
  assert.equal(kernel.calls.includes("open(/proc/self/status)"), false);
});
