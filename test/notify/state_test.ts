import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NotifyState } from "../../mod.ts";
import { encodeMessage, encodeState, isFdName } from "../../src/notify/state.ts";
import { statusLine } from "../../src/daemon/messages.ts";
import { rangeError, typeError } from "../fixtures/expect.ts";

type Row = readonly [state: NotifyState, lines: readonly string[], fds?: readonly number[]];

const rows: readonly Row[] = [
  [{}, []],
  [{ ready: undefined, status: undefined }, []],
  [{ ready: true }, ["READY=1"]],
  [{ stopping: true }, ["STOPPING=1"]],
  [{ reloading: true, monotonicUsec: 123n }, ["RELOADING=1", "MONOTONIC_USEC=123"]],
  [{ reloading: true, ready: true }, ["READY=1", "RELOADING=1"]],
  [{ monotonicUsec: 18446744073709551614n }, ["MONOTONIC_USEC=18446744073709551614"]],
  [{ status: "grüß dich 💡" }, ["STATUS=grüß dich 💡"]],
  [{ status: "" }, ["STATUS="]],
  [{ status: "a\tb\r=c" }, ["STATUS=a\tb\r=c"]],
  [{ errno: 2 }, ["ERRNO=2"]],
  [{ errno: "ENOENT" }, ["ERRNO=ENOENT"]],
  [{ busError: "org.freedesktop.DBus.Error.TimedOut" }, ["BUSERROR=org.freedesktop.DBus.Error.TimedOut"]],
  [{ varlinkError: "org.varlink.service.InvalidParameter" }, ["VARLINKERROR=org.varlink.service.InvalidParameter"]],
  [{ exitStatus: 0 }, ["EXIT_STATUS=0"]],
  [{ exitStatus: 255 }, ["EXIT_STATUS=255"]],
  [{ mainPid: 1 }, ["MAINPID=1"]],
  [{ mainPidFd: 7 }, ["MAINPIDFD=1"], [7]],
  [{ mainPidFd: 0, mainPidFdId: 99n }, ["MAINPIDFD=1", "MAINPIDFDID=99"], [0]],
  ...(["none", "main", "exec", "all"] as const).map((access): Row => [
    { notifyAccess: access },
    [`NOTIFYACCESS=${access}`],
  ]),
  [{ extendTimeoutMs: 1500 }, ["EXTEND_TIMEOUT_USEC=1500000"]],
  [{ extendTimeoutMs: 0.001 }, ["EXTEND_TIMEOUT_USEC=1"]],
  [{ extendTimeoutMs: 0.0014 }, ["EXTEND_TIMEOUT_USEC=2"]],
  [{ watchdog: "ping" }, ["WATCHDOG=1"]],
  [{ watchdog: "trigger" }, ["WATCHDOG=trigger"]],
  [{ restartReset: true }, ["RESTART_RESET=1"]],
  [{ ready: true, restartReset: true, status: "s" }, ["READY=1", "STATUS=s", "RESTART_RESET=1"]],
  [{ watchdogMs: 0 }, ["WATCHDOG_USEC=0"]],
  [{ watchdogMs: 3e9 }, ["WATCHDOG_USEC=3000000000000"]],
  [{ fdStore: { name: "conn", fds: 5 } }, ["FDSTORE=1", "FDNAME=conn"], [5]],
  [{ fdStore: { name: "", fds: [5, 6], poll: true } }, ["FDSTORE=1", "FDNAME="], [5, 6]],
  [{ fdStore: { name: " a~", fds: 5, poll: false } }, ["FDSTORE=1", "FDNAME= a~", "FDPOLL=0"], [5]],
  [{ fdStoreRemove: "conn" }, ["FDSTOREREMOVE=1", "FDNAME=conn"]],
  // Somebody else may have stored it.
  [{ fdStoreRemove: "a\\b" }, ["FDSTOREREMOVE=1", "FDNAME=a\\b"]],
  [{ X_REQUESTS: "3", X_A_1: "" }, ["X_REQUESTS=3", "X_A_1="]],
  [{ X_B: "b", status: "s", X_A: "a", ready: true }, ["READY=1", "STATUS=s", "X_B=b", "X_A=a"]],
];

test("encodeState() writes each field as sd_notify(3) has it", () => {
  for (const [state, lines, fds = []] of rows) assert.deepEqual(encodeState(state), { lines, fds }, lines.join());
});

const refused: readonly (readonly [state: unknown, message: string | RegExp])[] = [
  [undefined, "the state is undefined, not an object"],
  [null, "the state is null, not an object"],
  ["READY=1", 'the state is "READY=1", not an object'],
  [[{ ready: true }], "the state is an array, not an object"],
  [{ redy: true }, /^Cannot notify the service manager: there is no field "redy", but one of ready, reloading, .*X_…$/],
  [{ toString: "x" }, /there is no field "toString"/],
  [{ X_: "a" }, /there is no field "X_"/],
  [{ X_a: "a" }, /there is no field "X_a"/],
  [{ "X_A=1\nREADY": "1" }, /there is no field/],
  [{ ready: 1 }, "ready is 1, not true"],
  [{ ready: false }, "ready is false, not true"],
  [{ stopping: "1" }, 'stopping is "1", not true'],
  [{ restartReset: 1 }, "restartReset is 1, not true"],
  [{ status: 5 }, "status is 5, not a string"],
  [{ status: "fine\nREADY=1" }, 'status is "fine\\nREADY=1", not one line without NUL'],
  [{ status: "a\0b" }, 'status is "a\\u0000b", not one line without NUL'],
  [{ status: `\n${"x".repeat(100)}` }, `status is "\\n${"x".repeat(59)}…", not one line without NUL`],
  [{ busError: "a\n" }, /busError is "a\\n", not one line/],
  [{ varlinkError: "\0" }, /varlinkError is .*, not one line/],
  [{ X_A: "\n" }, /X_A is "\\n", not one line/],
  [{ errno: "enoent" }, 'errno is "enoent", not a number or a name such as "ENOENT"'],
  [{ errno: 5n }, "errno is 5n, not a number"],
  [{ mainPid: "1" }, 'mainPid is "1", not a number'],
  [{ mainPidFdId: 5 }, "mainPidFdId is 5, not a bigint"],
  [{ monotonicUsec: 5 }, "monotonicUsec is 5, not a bigint"],
  [{ notifyAccess: "some" }, 'notifyAccess is "some", not one of "none", "main", "exec", "all"'],
  [{ watchdog: true }, 'watchdog is true, not one of "ping", "trigger"'],
  [{ extendTimeoutMs: 5n }, "extendTimeoutMs is 5n, not a number"],
  [{ fdStore: 5 }, "fdStore is 5, not { name, fds, poll }"],
  [{ fdStore: { fds: 5 } }, "fdStore.name is undefined, not a string"],
  [{ fdStore: { name: "a" } }, "fdStore.fds is undefined, not a number"],
  [{ fdStore: { name: "a", fds: [] } }, "fdStore.fds is an empty array, not at least one descriptor"],
  [{ fdStore: { name: "a", fds: 5, poll: 0 } }, "fdStore.poll is 0, not true or false"],
  [{ fdStore: { name: "a\\", fds: 5 } }, /without a backslash$/],
  ...["a:b", "é", "a\n", "\x7f", "x".repeat(256)].flatMap((name) => [
    [{ fdStore: { name, fds: 5 } }, /not at most 255 printable ASCII characters without a colon$/] as const,
    [{ fdStoreRemove: name }, /not at most 255 printable ASCII characters without a colon$/] as const,
  ]),
  [{ stopping: true, ready: true }, "stopping and ready are in one message"],
  [{ stopping: true, reloading: true }, "stopping and reloading are in one message"],
  [{ fdStore: { name: "a", fds: 5 }, fdStoreRemove: "a" }, "fdStore and fdStoreRemove are in one message"],
  [{ fdStore: { name: "a", fds: 5 }, mainPidFd: 5 }, "fdStore and mainPidFd are in one message"],
];

const prefix = "Cannot notify the service manager: ";

test("encodeState() refuses what is no state, and what would add fields to the message", () => {
  for (const [state, message] of refused) {
    const expected = typeof message === "string" ? `${prefix}${message}` : message;
    assert.throws(() => encodeState(state as NotifyState), typeError(expected));
  }
});

test("encodeState() refuses numbers out of range", () => {
  const range: readonly (readonly [NotifyState, string])[] = [
    [{ errno: 0 }, "errno is 0, not an integer from 1 to 4095"],
    [{ errno: 1.5 }, "errno is 1.5, not an integer from 1 to 4095"],
    [{ exitStatus: 256 }, "exitStatus is 256, not an integer from 0 to 255"],
    [{ mainPid: 0 }, "mainPid is 0, not an integer from 1 to 2147483647"],
    [{ mainPidFd: -1 }, "mainPidFd is -1, not an integer from 0 to 2147483647"],
    [{ mainPidFdId: -1n }, "mainPidFdId is -1n, not from 0n to 2n ** 64n - 2n"],
    [{ monotonicUsec: 2n ** 64n - 1n }, "monotonicUsec is 18446744073709551615n, not from 0n to 2n ** 64n - 2n"],
    [{ extendTimeoutMs: 0 }, "extendTimeoutMs is 0, not from 0.001 to 9007199254740.99 ms"],
    [{ extendTimeoutMs: Infinity }, "extendTimeoutMs is Infinity, not from 0.001 to 9007199254740.99 ms"],
    [{ watchdogMs: NaN }, "watchdogMs is NaN, not from 0 to 9007199254740.99 ms"],
    [{ watchdogMs: -1 }, "watchdogMs is -1, not from 0 to 9007199254740.99 ms"],
    [{ fdStore: { name: "a", fds: [0, 2 ** 31] } }, "fdStore.fds is 2147483648, not an integer from 0 to 2147483647"],
  ];
  for (const [state, message] of range) {
    assert.throws(() => encodeState(state), rangeError(`${prefix}${message}`));
  }
});

test("encodeMessage() refuses more bytes than the service manager reads", () => {
  const text = `STATUS=${"é".repeat(2044)}`;
  assert.equal(encodeMessage([text, ""]).length, 4096);
  const message = `${prefix}the message has 4097 bytes, more than 4096`;
  assert.throws(() => encodeMessage([text, "a"]), rangeError(message));
});

test("isFdName() is true for what fdname_is_valid() of systemd takes", () => {
  for (const name of ["", "a", " ", "~", "a.socket", "\\", "x".repeat(255)]) assert.equal(isFdName(name), true, name);
  for (const name of [":", "a:b", "\x1f", "\x7f", "ü", "x".repeat(256), "a\n"]) {
    assert.equal(isFdName(name), false, name);
  }
});

test("statusLine() makes any text a status", () => {
  assert.equal(statusLine("a\nb \r\n  c\0d\n"), "a b c d");
  assert.equal(statusLine(""), "");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 50 }), fc.nat(100), (text, times) => {
    const status = statusLine(text.repeat(times));
    assert.doesNotMatch(status, /[\n\0]/);
    assert.ok(encodeMessage(encodeState({ ready: true, status }).lines).length < 2100);
  }));
  // No character is cut in two.
  assert.equal(statusLine("💡".repeat(600)), `${"💡".repeat(512)}…`);
});
