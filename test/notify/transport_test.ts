import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import type { NotifyCapabilities } from "../../mod.ts";
import { activate } from "../fixtures/activate.ts";
import { holdNotifySocket, monotonicUsec } from "../fixtures/notify_socket.ts";
import { type Call, type Line, linesOf, serve, startNotifier } from "../fixtures/notifying.ts";
import { denoWay, nodeMissing, type NotifyWay, notifyWays } from "../fixtures/notify_ways.ts";
import { runtime } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

const options = needs("systemd-notify", "systemd");
const isRoot = process.geteuid?.() === 0;
const warning =
  "fd3: its messages come from the program systemd-notify: a unit whose user is not root needs NotifyAccess=all, or " +
  (runtime === "Deno" ? "--allow-ffi" : "koffi (npm install koffi)");
const abstract = () => `@fd3-test-${process.pid}-${Math.random()}`;

const calls: readonly Call[] = [
  ["notify", { ready: true, status: 'it\'s "fine" $(x) ü' }],
  ["notify", { status: "", X_A: "--help" }],
  ["removeFd", "a"],
  ["notify", { stopping: true }],
];
const texts = [`READY=1\nSTATUS=it's "fine" $(x) ü`, "STATUS=\nX_A=--help", "FDSTOREREMOVE=1\nFDNAME=a", "STOPPING=1"];

test(`each way sends the same messages in the same order (${runtime})`, options, async () => {
  using folder = tempFolder();
  for (const address of [`${folder.path}/notify`, abstract()]) {
    for (const way of notifyWays(address)) {
      using socket = holdNotifySocket(address);
      await using started = startNotifier(way, address, calls);
      const received = await serve(socket, started);
      assert.deepEqual(await linesOf(started), calls.map(() => ({ value: true })), way.name);
      assert.deepEqual(received.map(({ text }) => text), texts, way.name);
      // Only root's systemd-notify can speak for its parent.
      const isOurs = way.transport !== "systemd-notify" || isRoot;
      for (const { credentials } of received) assert.equal(credentials?.pid === started.pid, isOurs, way.name);
      // Root is heard anyway, and a Deno without a permission for that does not know that it is root.
      const warns = way.transport === "systemd-notify" && (!isRoot || runtime === "Deno");
      const warned = warns ? `${warning}\n` : "";
      assert.equal(started.stderr(), warned, way.name);
      if (address.startsWith("/")) rmSync(address);
    }
  }
});

test(`messages of calls that are not awaited leave one after the other (${runtime})`, options, async () => {
  const address = abstract();
  for (const way of notifyWays(address)) {
    using socket = holdNotifySocket(address);
    const script = "test/notify/fixtures/burst.ts";
    await using started = activate({ variant: way, script, env: { NOTIFY_SOCKET: address } });
    const received = await serve(socket, started);
    assert.equal(await started.exited, 0, started.stderr());
    assert.deepEqual(received.map(({ text }) => text), [0, 1, 2, 3, 4].map((i) => `X_NUMBER=${i}`), way.name);
  }
});

test(`no way fails for a message that says nothing (${runtime})`, async () => {
  const address = abstract();
  for (const way of notifyWays(address)) {
    using socket = holdNotifySocket(address);
    await using started = startNotifier(way, address, [["notify", {}]]);
    const received = await serve(socket, started);
    assert.deepEqual(await linesOf(started), [{ value: true }], way.name);
    assert.deepEqual(received.map(({ text }) => text), way.transport === "systemd-notify" ? [] : [""], way.name);
  }
});

test(`each way says the same of a socket that takes nothing (${runtime})`, options, async () => {
  using folder = tempFolder();
  using stream = holdUnix(`${folder.path}/stream`);
  assert.ok(stream.fd > 0);
  const wanted = [
    [`${folder.path}/none`, "ENOENT", "no such file or directory"],
    ["/dev/null", "ECONNREFUSED", "connection refused"],
    [`${folder.path}/stream`, "EPROTOTYPE", "protocol wrong type for socket"],
    ["x", "EINVAL", 'NOTIFY_SOCKET is "x", neither an absolute path nor an abstract name'],
    ["vsock:2:1", "ERR_FD3_PLATFORM", 'NOTIFY_SOCKET is "vsock:2:1", and fd3 sends to no vsock'],
  ] as const;
  for (const [address, code, text] of wanted) {
    for (const way of notifyWays(address)) {
      await using started = startNotifier(way, address, [["notify", { ready: true }]]);
      const message = `Cannot notify the service manager: ${text}`;
      assert.deepEqual(await linesOf(started), [{ name: "Fd3Error", code, message }], way.name);
    }
  }
});

test(`without NOTIFY_SOCKET each way sends nothing, and warns of nothing (${runtime})`, async () => {
  const quiet: readonly Call[] = [
    ["notify", { ready: true }],
    ["barrier"],
    ["storeFd", "a", 0],
    ["removeFd", "a"],
    ["notify", { reloading: true }],
  ];
  for (const way of notifyWays("@none")) {
    await using started = startNotifier(way, undefined, quiet);
    assert.deepEqual(await linesOf(started), quiet.map(() => ({ value: false })), way.name);
    assert.equal(started.stderr(), "", way.name);
  }
});

/** What a way without FFI says to whoever wants more than text. */
function refusal(way: NotifyWay, action: string, { name, code, message = "" }: Line): void {
  assert.deepEqual([name, code], ["Fd3Error", "ERR_FD3_FFI"], way.name);
  const head = `Cannot ${action}: `;
  assert.ok(message.startsWith(head), message);
  if (runtime === "Node") assert.match(message.slice(head.length), nodeMissing);
  else assert.equal(message.slice(head.length), way.missing);
}

test(`without FFI there is no barrier, no store, and no other process's name (${runtime})`, async () => {
  const address = abstract();
  for (const way of notifyWays(address).filter(({ ffi }) => !ffi)) {
    using socket = holdNotifySocket(address);
    await using started = startNotifier(way, address, [
      ["barrier", 100],
      ["storeFd", "a", 0],
      ["notify", { ready: true }, { pid: 1 }],
      ["notify", { mainPidFd: 0 }],
    ]);
    const lines = await linesOf(started);
    const actions = ["wait for the service manager", "store a descriptor", "notify the service manager"];
    lines.forEach((line, i) => refusal(way, actions[i] ?? actions[2], line));
    assert.equal(lines.length, 4);
    assert.equal(socket.poll(), undefined);
  }
});

test(`RELOADING=1 without a clock is sent all the same, with a warning (${runtime})`, options, async () => {
  const address = abstract();
  for (const way of notifyWays(address)) {
    using socket = holdNotifySocket(address);
    await using started = startNotifier(way, address, [["notify", { reloading: true }], ["notify", {
      reloading: true,
    }]]);
    const received = await serve(socket, started);
    const hasClock = runtime !== "Deno" || way.ffi;
    const expected = hasClock ? /^RELOADING=1\nMONOTONIC_USEC=\d+$/ : /^RELOADING=1$/;
    assert.equal(received.length, 2);
    for (const { text } of received) assert.match(text, expected, way.name);
    const reason = "Deno knows the time since boot with --allow-ffi or --allow-sys=osUptime";
    const warned = `fd3: RELOADING=1 has no MONOTONIC_USEC, which Type=notify-reload needs: ${reason}\n`;
    assert.equal(started.stderr().split(warned).length, hasClock ? 1 : 2, started.stderr());
  }
});

test(`a Deno without FFI has the clock with --allow-sys=osUptime (${runtime})`, async () => {
  if (runtime !== "Deno") return assert.ok(notifyWays("@a").every(({ name }) => !name.startsWith("Deno")));
  const address = abstract();
  using socket = holdNotifySocket(address);
  const way = denoWay("deno-datagram", "", "--unstable-net", "--allow-net", "--allow-sys=osUptime");
  const before = monotonicUsec();
  await using started = startNotifier(way, address, [["notify", { reloading: true }], ["capabilities"]]);
  const [message] = await serve(socket, started);
  const [, usec] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(message.text)!;
  assert.ok(BigInt(usec) >= before, `${usec} >= ${before}`);
  const [, { value }] = await linesOf(started);
  assert.equal((value as NotifyCapabilities).cannot.monotonicUsec, undefined);
});

test(`capabilities() says how messages are sent, and what is impossible (${runtime})`, async () => {
  for (const address of ["@nobody", undefined]) {
    for (const way of notifyWays("/run/systemd/notify")) {
      await using started = startNotifier(way, address, [["capabilities"]]);
      const [{ value }] = await linesOf(started);
      const { supervised, transport, cannot } = value as NotifyCapabilities;
      assert.deepEqual([supervised, transport], [address !== undefined, way.transport], way.name);
      const limits = way.ffi ? [] : ["barrier", "pid", "storeFd"];
      if (transport === "systemd-notify") limits.push("notifyAccessMain");
      if (runtime === "Deno" && !way.ffi) limits.push("monotonicUsec");
      assert.deepEqual(Object.keys(cannot).sort(), limits.sort(), way.name);
    }
  }
});

test(`a Deno that may do nothing says what it would take (${runtime})`, async () => {
  if (runtime !== "Deno") return assert.ok(notifyWays("@a").every(({ name }) => !name.startsWith("Deno")));
  const way = denoWay("none", "");
  const wanted = [
    [way, "Deno sends datagrams with --unstable-net"],
    [denoWay("none", "", "--unstable-net"), "Deno sends datagrams with --allow-net --allow-write=/run/systemd/notify"],
  ] as const;
  for (const [way, datagrams] of wanted) {
    await using started = startNotifier(way, "/run/systemd/notify", [["notify", { ready: true }], ["capabilities"]]);
    const missing = [
      "Deno calls libc with --allow-ffi",
      datagrams,
      "Deno runs systemd-notify with --allow-run=systemd-notify",
    ].join("; ");
    const [sent, { value }] = await linesOf(started);
    const message = `Cannot notify the service manager: ${missing}`;
    assert.deepEqual(sent, { name: "Fd3Error", code: "ERR_FD3_FFI", message });
    const { transport, cannot } = value as NotifyCapabilities;
    assert.deepEqual([transport, cannot.notify, cannot.storeFd], ["none", missing, missing]);
  }
  // Not without any: a `deno` that Deno starts has all permissions if its command line says nothing.
  const command = way.command.map((flag) => flag.startsWith("--allow-env") ? "--allow-env=HOME" : flag);
  await using started = startNotifier({ ...way, command }, "@a", [["notify", { ready: true }]]);
  const message = "Cannot read NOTIFY_SOCKET: Deno needs --allow-env=NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID";
  assert.deepEqual(await linesOf(started), [{ name: "Fd3Error", code: "EACCES", message }]);
});

test(`a systemd-notify that is not there is no socket that is not there (${runtime})`, async () => {
  for (const way of notifyWays("@a").filter(({ transport }) => transport === "systemd-notify")) {
    await using started = startNotifier(way, "@a", [["notify", { ready: true }]], { PATH: "/nowhere" });
    const [{ code, message }] = await linesOf(started);
    assert.equal(code, "ERR_FD3_FFI");
    // Deno's permission is for a program that there is.
    const end = runtime === "Deno"
      ? "Deno runs systemd-notify with --allow-run=systemd-notify"
      : "systemd-notify cannot be started";
    assert.ok(message!.startsWith("Cannot notify the service manager: ") && message!.endsWith(`; ${end}`), message!);
  }
});

test(`notify() waits where the service manager is slow, and loses nothing (${runtime})`, async () => {
  const many = Number(readFileSync("/proc/sys/net/unix/max_dgram_qlen", "utf8")) + 50;
  const address = abstract();
  using socket = holdNotifySocket(address);
  const [way] = notifyWays(address);
  const burst = Array.from({ length: many }, (_, i): Call => ["notify", { X_NUMBER: String(i) }]);
  await using started = startNotifier(way, address, burst);
  const received = await serve(socket, started);
  assert.deepEqual(received.map(({ text }) => text), burst.map((_, i) => `X_NUMBER=${i}`));
  assert.deepEqual(await linesOf(started), burst.map(() => ({ value: true })));
});
