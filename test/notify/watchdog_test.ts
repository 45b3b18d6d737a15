import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Fd3Error, WatchdogOptions } from "../../mod.ts";
import { createNotify } from "../../src/notify/api.ts";
import type { NotifyHost } from "../../src/notify/host.ts";
import { watchdog } from "../../src/notify/watchdog.ts";
import { fd3Error, typeError } from "../fixtures/expect.ts";
import { FakeClock } from "../fixtures/fake_clock.ts";
import { notifyHost, withEnv } from "../fixtures/notify_host.ts";
import { holdNotifySocket, type NotifySocket } from "../fixtures/notify_socket.ts";
import { runtime } from "../fixtures/runtime.ts";

const abstract = () => `@fd3-test-${process.pid}-${Math.random()}`;
const interval = { WATCHDOG_USEC: "2000000", WATCHDOG_PID: String(process.pid) };

/** A watchdog with a clock of the test's. */
function stage(
  options: WatchdogOptions = {},
  env: Record<string, string> = interval,
  changes: Partial<NotifyHost> = {},
) {
  const socket = holdNotifySocket(abstract());
  const clock = new FakeClock();
  const stderr: string[] = [];
  const host = withEnv({ ...env, NOTIFY_SOCKET: socket.address }, {
    now: () => clock.now,
    after: (ms, callback) => clock.after(ms, callback),
    writeStderr: (text) => void stderr.push(text),
    ...changes,
  });
  const problems: Fd3Error[] = [];
  const onProblem = (error: unknown) => void problems.push(error as Fd3Error);
  const running = watchdog(host, { onProblem, ...options });
  assert.ok(running !== undefined);
  return { socket, clock, host, stderr, problems, running, [Symbol.dispose]: () => socket[Symbol.dispose]() };
}

function texts(socket: NotifySocket): string[] {
  const found: string[] = [];
  for (let message = socket.poll(); message !== undefined; message = socket.poll()) found.push(message.text);
  return found;
}

const ping = "WATCHDOG=1";
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test(`watchdog() pings at once, and then at half the interval until it is stopped (${runtime})`, () => {
  using held = stage();
  const { socket, clock, running } = held;
  assert.equal(running.intervalMs, 2000);
  assert.deepEqual(held.host.environment, {});
  assert.deepEqual(texts(socket), [ping]);
  clock.advance(999);
  assert.deepEqual(texts(socket), []);
  clock.advance(1);
  assert.deepEqual(texts(socket), [ping]);
  clock.advance(10_000);
  assert.deepEqual(texts(socket), Array(10).fill(ping));
  running.stop();
  clock.advance(10_000);
  assert.deepEqual([texts(socket), clock.waiting], [[], 0]);
  running[Symbol.dispose]();
});

test(`watchdog() keeps its rhythm when timers are late, and catches up with nothing (${runtime})`, () => {
  using held = stage();
  const { socket, clock } = held;
  texts(socket);
  // From the second on each timer is 300 ms late, and the one after it is due as if it had not been.
  clock.lateness = 300;
  const at: number[] = [];
  for (let i = 0; i < 4000; i++) {
    clock.advance(1);
    if (texts(socket).length > 0) at.push(clock.now);
  }
  assert.deepEqual(at, [1000, 2300, 3300]);
  clock.lateness = 5000;
  clock.advance(10_000);
  assert.ok(texts(socket).length <= 2);
});

test(`watchdog() waits for longer than a timer can (${runtime})`, () => {
  const year = 365 * 24 * 3600 * 1000;
  using held = stage({}, { WATCHDOG_USEC: String(year * 1000) });
  const { socket, clock, running } = held;
  assert.equal(running.intervalMs, year);
  assert.deepEqual(texts(socket), [ping]);
  clock.advance(year / 2 - 1);
  assert.deepEqual(texts(socket), []);
  clock.advance(1);
  assert.deepEqual(texts(socket), [ping]);
  assert.ok(clock.longest < 2 ** 31, `${clock.longest}`);
  // The longest there is does not end the process, nor spin.
  using longest = stage({}, { WATCHDOG_USEC: "18446744073709551614" });
  assert.equal(longest.clock.waiting, 1);
});

test(`watchdog() with an interval of a microsecond does not spin (${runtime})`, () => {
  using held = stage({}, { WATCHDOG_USEC: "1" });
  held.clock.advance(10);
  assert.equal(texts(held.socket).length, 11);
});

test(`watchdog() is undefined where nobody waits for it (${runtime})`, async () => {
  const { watchdog } = createNotify(withEnv({ WATCHDOG_PID: String(process.pid) }));
  assert.equal(await watchdog(), undefined);
  const other = withEnv({ WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" });
  assert.equal(await createNotify(other).watchdog(), undefined);
  assert.deepEqual(other.environment, {});
  const kept = withEnv({ WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" });
  assert.equal(await createNotify(kept).watchdog({ keepEnv: true }), undefined);
  assert.deepEqual(Object.keys(kept.environment), ["WATCHDOG_USEC", "WATCHDOG_PID"]);
  const broken = withEnv({ WATCHDOG_USEC: "0", WATCHDOG_PID: "1" });
  const text = 'Cannot read WATCHDOG_USEC: "0" is no interval';
  await assert.rejects(createNotify(broken).watchdog(), fd3Error("EINVAL", text));
});

test(`watchdog() refuses options that are none (${runtime})`, async () => {
  const wanted = [
    [{ check: true }, "check is true, not a function"],
    [{ onProblem: "log" }, 'onProblem is "log", not a function'],
    [{ checkTimeout: 0 }, "checkTimeout is 0, not a number of milliseconds above 0"],
    [{ whenUnhealthy: "die" }, 'whenUnhealthy is "die", not "withhold" or "trigger"'],
  ] as const;
  for (const [options, text] of wanted) {
    const { watchdog } = createNotify(withEnv({}));
    await assert.rejects(watchdog(options as WatchdogOptions), typeError(`Cannot start the watchdog: ${text}`));
  }
});

const why = (text: string) => `Cannot ping the watchdog: the health check ${text}`;

test(`a failed check withholds the ping, and the next one is asked again (${runtime})`, async () => {
  const cause = new Error("no database");
  const answers: (() => unknown)[] = [
    () => true,
    () => false,
    () => undefined,
    () => {
      throw cause;
    },
    () => Promise.resolve(true),
    () => Promise.reject(cause),
    () => Promise.resolve(false),
    () => Promise.resolve(),
  ];
  let turn = 0;
  using held = stage({ check: () => answers[turn++]() });
  const { socket, clock, problems } = held;
  const came: string[][] = [];
  for (let i = 0; i < answers.length; i++) {
    await settle();
    came.push(texts(socket));
    if (i < answers.length - 1) clock.advance(1000);
  }
  assert.deepEqual(came, [[ping], [], [ping], [], [ping], [], [], [ping]]);
  const expected = [why("gave false"), why("threw"), why("rejected"), why("gave false")];
  assert.deepEqual(problems.map(({ message }) => message), expected);
  assert.deepEqual(problems.map(({ code }) => code), Array(4).fill("ERR_FD3_UNHEALTHY"));
  assert.deepEqual(problems.map((problem) => problem.cause), [undefined, cause, cause, undefined]);
});

test(`a check that does not settle in time has failed, and is not started again before it settles (${runtime})`, async () => {
  let settleCheck: (value: unknown) => void = () => {};
  let started = 0;
  const check = () => {
    started++;
    return new Promise((resolve) => settleCheck = resolve);
  };
  using held = stage({ check, checkTimeout: 400 });
  const { socket, clock, problems } = held;
  clock.advance(399);
  assert.deepEqual([problems.length, started], [0, 1]);
  clock.advance(1);
  assert.equal(problems[0].message, why("has not settled within 400 ms"));
  clock.advance(5000);
  assert.deepEqual([problems.length, started], [1, 1]);
  settleCheck(true);
  await settle();
  // Too late for that ping.
  assert.deepEqual(texts(socket), []);
  clock.advance(600);
  assert.equal(started, 2);
  settleCheck(true);
  await settle();
  assert.deepEqual([texts(socket), problems.length], [[ping], 1]);
});

test(`a check has half the interval, if nothing is said (${runtime})`, () => {
  using held = stage({ check: () => new Promise(() => {}) });
  held.clock.advance(999);
  assert.equal(held.problems.length, 0);
  held.clock.advance(1);
  assert.equal(held.problems[0].message, why("has not settled within 1000 ms"));
});

test(`an unhealthy service triggers the watchdog where that is wanted (${runtime})`, async () => {
  for (const check of [() => false, () => Promise.reject(new Error("x")), () => new Promise(() => {})]) {
    using held = stage({ check, whenUnhealthy: "trigger" });
    await settle();
    held.clock.advance(1000);
    await settle();
    const came = texts(held.socket);
    assert.ok(came.length > 0 && came.every((text) => text === "WATCHDOG=trigger"), String(came));
  }
});

test(`stop() stops a check that is running, too (${runtime})`, async () => {
  let settleCheck: (value: unknown) => void = () => {};
  using held = stage({ check: () => new Promise((resolve) => settleCheck = resolve) });
  held.running.stop();
  settleCheck(true);
  await settle();
  held.clock.advance(10_000);
  assert.deepEqual([texts(held.socket), held.problems.length, held.clock.waiting], [[], 0, 0]);
});

test(`problems are logged where nobody wants to be told (${runtime})`, async () => {
  const cause = new Error("no database");
  using held = stage({ check: () => Promise.reject(cause), onProblem: undefined });
  await settle();
  assert.deepEqual(held.stderr, [`fd3: ${why("rejected")}: no database\n`]);
});

test(`a ping that cannot be sent is a problem, and no exception (${runtime})`, () => {
  using held = stage({}, interval);
  held.host.environment.NOTIFY_SOCKET = "@fd3-nobody-has-this";
  held.clock.advance(1000);
  assert.deepEqual(held.problems.map(({ code, message }) => [code, message]), [
    ["ECONNREFUSED", "Cannot ping the watchdog: connection refused"],
  ]);
});

test(`watchdog() pings by a real clock, and a blocked event loop does not (${runtime})`, async () => {
  using socket = holdNotifySocket(abstract());
  const host = withEnv({ NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: "200000" });
  assert.equal(host.now, notifyHost.now);
  const start = performance.now();
  using running = (await createNotify(host).watchdog())!;
  assert.equal(running.intervalMs, 200);
  for (let i = 0; i < 6; i++) assert.equal((await socket.receive()).text, ping);
  // Five times half the interval, less what the timers are early.
  assert.ok(performance.now() - start > 480);
  texts(socket); // One that was late may have been followed by the next.
  const until = performance.now() + 500;
  while (performance.now() < until);
  assert.deepEqual(texts(socket), []);
  assert.equal((await socket.receive()).text, ping);
});
