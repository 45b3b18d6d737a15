import assert from "node:assert/strict";
import { test } from "node:test";
import { asked } from "../../src/daemon/asked.ts";
import { Fd3Error } from "../../src/errors.ts";
import type { Host } from "../../src/host.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { memory } from "../../src/notify/manager.ts";
import type { NotifyState } from "../../src/notify/types.ts";
import { fakeHost } from "../fixtures/fake_host.ts";

/** What of the protocol a daemon calls in an environment. */
async function called(host: Host): Promise<string[]> {
  const calls: string[] = [];
  const { notify, watchdog } = asked({
    host,
    notify: () => Promise.resolve(calls.push("notify") > 0),
    watchdog: () => Promise.resolve(void calls.push("watchdog")),
    capabilities: () => Promise.reject(new Error("nobody asks")),
  });
  assert.equal(await notify({ ready: true }), calls.length === 1);
  await watchdog();
  return calls;
}

test("asked() calls nothing of the protocol outside a service manager", async () => {
  assert.deepEqual(await called(fakeHost()), []);
});

test("asked() calls what the service manager asks for, and leaves the environment to it", async () => {
  try {
    const environment = { NOTIFY_SOCKET: "/notify" };
    const host = fakeHost({ environment });
    assert.deepEqual(await called(host), ["notify"]);
    assert.equal(host.env("NOTIFY_SOCKET"), "/notify");
    // What an earlier message took out of the environment is remembered.
    assert.deepEqual(await called(fakeHost({ environment: { WATCHDOG_USEC: "1000" } })), ["notify", "watchdog"]);
  } finally {
    for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC"] as const) delete memory().variables[name];
  }
});

test("asked() leaves it to the protocol to say which permission is missing", async () => {
  const env = () => {
    throw new Fd3Error("EACCES", "Cannot read it");
  };
  assert.deepEqual(await called({ ...fakeHost(), env }), ["notify", "watchdog"]);
});

test("asked() sends READY=1 itself, also after a status, until the protocol was given something", async () => {
  const sent: string[] = [];
  const libc = {
    socket: () => 9,
    sendto: (_fd: number, bytes: Uint8Array, length: number) => sent.push(new TextDecoder().decode(bytes)) && length,
    close: () => 0,
  } as unknown as Libc;
  const { notify } = asked({
    host: fakeHost({ environment: { NOTIFY_SOCKET: "/notify" }, libc }),
    notify: (state) => Promise.resolve(sent.push(`protocol: ${Object.keys(state)}`) > 0),
    watchdog: () => Promise.resolve(undefined),
    capabilities: () => Promise.reject(new Error("nobody asks")),
  });
  const states = [{ status: "starting" }, { ready: true, status: "serving" }, { extendTimeoutMs: 9 }, { status: "on" }];
  try {
    for (const state of states) assert.equal(await notify(state as NotifyState), true);
  } finally {
    delete memory().variables.NOTIFY_SOCKET;
  }
  assert.deepEqual(sent, [
    "STATUS=starting",
    "READY=1\nSTATUS=serving",
    "protocol: extendTimeoutMs",
    "protocol: status",
  ]);
});
