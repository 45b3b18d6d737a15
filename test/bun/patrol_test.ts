// The patrol of a listener of Bun's, with a kernel and timers that are the test's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Patrol } from "../../runtimes/bun/patrol.ts";
import { EPOLLET } from "../../src/linux/constants.ts";
import { findRegistration } from "../../src/linux/epoll.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { epollSet, tcpSocket } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";
import { FakeTimers } from "../fixtures/fake_timers.ts";

const [epollFd, fd] = [3, 4];
const EPOLLIN = 1;
const data = 0xfd3n;

/** A listener that an epoll set watches, and its patrol. */
class Stage implements Disposable {
  readonly timers: FakeTimers = new FakeTimers();
  readonly kernel: FakeKernel = new FakeKernel();
  readonly patrol: Patrol;
  /** Whether a client waits that could not be accepted. */
  clientWaits = false;
  /** How often it looked. */
  looks = 0;

  constructor() {
    const listener = tcpSocket(1, 80);
    this.kernel.put(fd, listener);
    this.kernel.put(epollFd, epollSet({ fd, file: listener, events: EPOLLIN, data }));
    const poll: Libc["poll"] = (entries) => {
      const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
      assert.equal(view.getInt32(0, true), fd);
      this.looks++;
      view.setInt16(6, this.clientWaits ? EPOLLIN : 0, true);
      return Number(this.clientWaits);
    };
    const libc = Object.create(this.kernel.libc, { poll: { value: poll } }) as Libc;
    this.patrol = new Patrol(libc, findRegistration(libc, fd));
  }

  /** How often the registration was renewed. */
  get renewals(): number {
    return this.kernel.calls.filter((call) => call.startsWith("epoll_ctl(")).length;
  }

  [Symbol.dispose](): void {
    this.timers[Symbol.dispose]();
  }
}

test("Patrol looks after 250 ms, and more and more seldom while nobody waits, down to each 2 s", async () => {
  using stage = new Stage();
  for (const ms of [250, 500, 1000, 2000, 2000]) {
    const before = stage.looks;
    await stage.timers.pass(ms - 1);
    assert.equal(stage.looks, before);
    await stage.timers.pass(1);
    assert.equal(stage.looks, before + 1);
  }
  assert.equal(stage.renewals, 0);
});

test("Patrol renews the registration, edge-triggered, each 250 ms while a client waits", async () => {
  using stage = new Stage();
  await stage.timers.pass(250 + 500 + 1000);
  stage.clientWaits = true;
  await stage.timers.pass(2000);
  assert.equal(stage.renewals, 1);
  const watch = `4=socket:[1],${(EPOLLIN + EPOLLET).toString(16)},${data}`;
  assert.ok(stage.kernel.snapshot()[0].endsWith(watch), stage.kernel.snapshot().join());
  await stage.timers.pass(750);
  assert.equal(stage.renewals, 4);
  stage.clientWaits = false;
  await stage.timers.pass(250);
  assert.equal(stage.renewals, 4);
  const before = stage.looks;
  await stage.timers.pass(499);
  assert.equal(stage.looks, before);
});

test("Patrol ends where the number is another's by now, and changes nothing of it", async () => {
  using stage = new Stage();
  stage.clientWaits = true;
  stage.kernel.put(fd, tcpSocket(2, 81));
  await stage.timers.pass(250);
  assert.deepEqual([stage.looks, stage.renewals, stage.timers.waiting], [0, 0, 0]);
});

test("Patrol ends with stop()", async () => {
  using stage = new Stage();
  await stage.timers.pass(250);
  stage.patrol.stop();
  assert.equal(stage.timers.waiting, 0);
});

test("Patrol keeps no process alive", async () => {
  using stage = new Stage();
  assert.deepEqual([stage.timers.waiting, stage.timers.keepingAlive], [1, 0]);
  await stage.timers.pass(250);
  assert.deepEqual([stage.timers.waiting, stage.timers.keepingAlive], [1, 0]);
});
