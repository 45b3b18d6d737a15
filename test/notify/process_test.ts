import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { activate } from "../fixtures/activate.ts";
import { linesOf, serve, startNotifier } from "../fixtures/notifying.ts";
import { holdNotifySocket } from "../fixtures/notify_socket.ts";
import { notifyWays } from "../fixtures/notify_ways.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

test(`a watchdog does not keep the process alive (${runtime})`, async () => {
  using folder = tempFolder();
  using socket = holdNotifySocket(`${folder.path}/notify`);
  const env = { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: "60000000" };
  await using started = activate({ variant: everything, script: "test/notify/fixtures/idle_watchdog.ts", env });
  assert.equal(await started.exited, 0, started.stderr());
  assert.equal(socket.poll()?.text, "WATCHDOG=1");
});

test(`each way pings (${runtime})`, needs("systemd-notify", "systemd"), async () => {
  const address = `@fd3-test-${process.pid}-${Math.random()}`;
  for (const way of notifyWays(address)) {
    using socket = holdNotifySocket(address);
    const calls = [["watchdog"], ["wait", 1000], ["unwatch"], ["notify", { stopping: true }]] as const;
    await using started = startNotifier(way, address, calls, { WATCHDOG_USEC: "400000" });
    const received = (await serve(socket, started)).map(({ text }) => text);
    assert.equal(received.pop(), "STOPPING=1", way.name);
    assert.ok(received.length >= 2 && received.every((text) => text === "WATCHDOG=1"), `${way.name}: ${received}`);
    const [{ value }] = await linesOf(started);
    assert.deepEqual(value, { intervalMs: 400 });
  }
});

test(`children do not see the service manager unless keepEnv says so (${runtime})`, async () => {
  const names = "NOTIFY_SOCKET\nWATCHDOG_PID\nWATCHDOG_USEC\n";
  for (const keepEnv of [false, true]) {
    await using started = activate({
      variant: everything,
      script: "test/notify/fixtures/child.ts",
      args: [JSON.stringify({ keepEnv })],
      env: { NOTIFY_SOCKET: "@nobody", WATCHDOG_PID: "1", WATCHDOG_USEC: "1000000" },
    });
    assert.equal(await started.exited, 0, started.stderr());
    assert.equal(started.stdout(), keepEnv ? names : "");
  }
});
