import fc from "fast-check";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { createNotify } from "../../src/notify/api.ts";
import { variable } from "../../src/notify/manager.ts";
import type { Libc } from "../../src/linux/libc.ts";
import type { MessageLibc, NotifyHost } from "../../src/notify/host.ts";
import { sendDatagram } from "../../src/notify/message.ts";
import { deliver } from "../../src/notify/transport.ts";
import { watchdogUsec } from "../../src/notify/watchdog.ts";
import type { Fd3Error } from "../../src/errors.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { withEnv } from "../fixtures/notify_host.ts";
import { closeFds, holdNotifySocket, type NotifySocket } from "../fixtures/notify_socket.ts";
import { runtime } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needsLibrary } from "../fixtures/tools.ts";
import { watchdogEnvironments } from "../oracle/environments.ts";
import { type NotifyAnswer, NotifyLibsystemd } from "../oracle/libsystemd.ts";
import { type NotifyRow, notifyRows, watchdogEnv, watchdogRows } from "../oracle/notify_rows.ts";

const options = needsLibrary("libsystemd", "libsystemd-dev");

/** An answer, and what came of it. */
type Outcome = Omit<NotifyAnswer, "usec"> & { readonly received: readonly string[] };

/** All that waits in the sockets: its bytes in hex, and how many descriptors came with them. */
function drain(sockets: readonly NotifySocket[]): string[] {
  const found: string[] = [];
  for (const socket of sockets) {
    for (let message = socket.poll(); message !== undefined; message = socket.poll()) {
      closeFds(message);
      const { bytes, fds } = message;
      found.push(`${fds.length}:${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`);
    }
  }
  return found;
}

function envOf({ socket }: NotifyRow): Record<string, string> {
  return socket === undefined ? {} : { NOTIFY_SOCKET: socket };
}

function sendAnyway(host: NotifyHost, { socket, state }: NotifyRow): number {
  const [base, libc] = [host.libc() as Libc, host.messageLibc() as MessageLibc];
  const payload = new TextEncoder().encode(state);
  return Number(sendDatagram(base, libc, { address: socket!, payload, fds: [], credentials: undefined }) >= 0);
}

/** What fd3 does in this process, below its guards: those refuse what libsystemd sends. */
async function ours(row: NotifyRow, keepEnv: boolean): Promise<Omit<Outcome, "received">> {
  const { state, fds = { count: 0, fd: 0 } } = row;
  const host = withEnv(envOf(row));
  const message = {
    action: "notify",
    lines: state === "" ? [] : [state],
    fds: Array(fds.count).fill(fds.fd),
    pid: undefined,
  };
  let result: number | string;
  try {
    result = Number(await deliver(host, message, { keepEnv }));
  } catch (error) {
    // Those that are too long for any service manager are refused before they are sent; the kernel takes them.
    result = error instanceof RangeError ? sendAnyway(host, row) : (error as Fd3Error).code;
  }
  return { result, left: Object.keys(host.environment) };
}

const expectedResult = ({ expected }: NotifyRow) => typeof expected === "string" ? expected : Number(expected);

/** The sockets that the rows name. */
function stage() {
  const folder = tempFolder();
  const name = `fd3-oracle-${process.pid}-${Math.random()}`;
  const sockets = [holdNotifySocket(`${folder.path}/notify`), holdNotifySocket(`@${name}`)];
  const stream = holdUnix(`${folder.path}/stream`);
  return {
    rows: notifyRows(folder.path, name),
    sockets,
    [Symbol.dispose]() {
      for (const held of [...sockets, stream, folder]) held[Symbol.dispose]();
    },
  };
}

test(`fd3 sends as the oracle says (N1 to N7, ${runtime})`, async () => {
  using held = stage();
  for (const row of held.rows) {
    for (const keepEnv of [false, true]) {
      const { result, left } = await ours(row, keepEnv);
      assert.equal(result, expectedResult(row), row.id);
      assert.deepEqual(left, keepEnv ? Object.keys(envOf(row)) : [], row.id);
      const came = drain(held.sockets);
      const hex = [...new TextEncoder().encode(row.state)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      assert.deepEqual(came, row.expected === true ? [`${row.fds?.count ?? 0}:${hex}`] : [], row.id);
    }
  }
});

test(`libsystemd sends as the oracle says, and fd3 as libsystemd (N1 to N7, ${runtime})`, options, async () => {
  using held = stage();
  await using libsystemd = new NotifyLibsystemd();
  for (const row of held.rows) {
    for (const keepEnv of [false, true]) {
      const { usec: _usec, ...answer } = await libsystemd.notify(envOf(row), row.state, { keepEnv, ...row.fds });
      const theirs: Outcome = { ...answer, received: drain(held.sockets) };
      // Newer versions say E2BIG.
      const result = theirs.result === "E2BIG" ? "EINVAL" : theirs.result;
      assert.equal(result, expectedResult(row), row.id);
      assert.deepEqual({ ...await ours(row, keepEnv), received: drain(held.sockets) }, { ...theirs, result }, row.id);
    }
  }
});

test(
  `notify() refuses no state at all, and the variable leaves the environment as with libsystemd (N4, ${runtime})`,
  options,
  async () => {
    using folder = tempFolder();
    const environment = { NOTIFY_SOCKET: `${folder.path}/none` };
    const host = withEnv({ ...environment });
    await assert.rejects(createNotify(host).notify(undefined as never), TypeError);
    assert.deepEqual(host.environment, {});
    await using libsystemd = new NotifyLibsystemd();
    const { result, left } = await libsystemd.notify(environment, null);
    assert.deepEqual([result, left], ["EINVAL", []]);
  },
);

test(`barrier() waits as sd_notify_barrier() does (N8, ${runtime})`, options, async () => {
  using folder = tempFolder();
  await using libsystemd = new NotifyLibsystemd();
  assert.equal((await libsystemd.barrier({}, 1000)).result, 0);
  assert.equal(await createNotify(withEnv({})).barrier(1), false);

  using socket = holdNotifySocket(`${folder.path}/notify`);
  const env = { NOTIFY_SOCKET: socket.address };
  const theirs = libsystemd.barrier(env, 30_000_000);
  const ours = createNotify(withEnv({ ...env })).barrier(30_000);
  for (let i = 0; i < 2; i++) {
    const message = await socket.receive();
    assert.deepEqual([message.text, message.fds.length], ["BARRIER=1", 1]);
    closeFds(message);
  }
  assert.equal((await theirs).result, 1);
  assert.equal(await ours, true);

  // Nobody reads the messages, so nobody closes the pipes.
  assert.equal((await libsystemd.barrier(env, 50_000)).result, "ETIMEDOUT");
  const start = performance.now();
  await assert.rejects(
    createNotify(withEnv({ ...env })).barrier(50),
    fd3Error("ETIMEDOUT", "Cannot wait for the service manager: no answer within 50 ms"),
  );
  const took = performance.now() - start;
  assert.ok(took >= 49, `${took} ms`);
});

test(`notify() says that a vsock is not for it (N9, ${runtime})`, async () => {
  for (const socket of ["vsock:2:1234", "vsock-stream:2:1234", "vsock-dgram:2:1", "vsock-seqpacket:2:1"]) {
    const host = withEnv({ NOTIFY_SOCKET: socket });
    const text = `Cannot notify the service manager: NOTIFY_SOCKET is "${socket}", and fd3 sends to no vsock`;
    await assert.rejects(createNotify(host).notify({ ready: true }), fd3Error("ERR_FD3_PLATFORM", text));
    assert.deepEqual(host.environment, {});
  }
});

/** What fd3 says of a watchdog's environment. */
function watchdogResult(host: NotifyHost, pid: number): bigint | undefined | string {
  try {
    const [usec, owner] = (["WATCHDOG_USEC", "WATCHDOG_PID"] as const).map((name) => variable(host, name));
    return watchdogUsec(usec, owner, pid);
  } catch (error) {
    return (error as Fd3Error).code;
  }
}

test("watchdog() reads its environment as the oracle says (W1 to W4)", () => {
  for (const row of watchdogRows) {
    const environment = watchdogEnv(row, 1234);
    assert.equal(watchdogResult(withEnv(environment), 1234), row[3], String(row));
    assert.deepEqual(environment, {});
  }
});

function theirInterval({ result, usec }: NotifyAnswer): bigint | undefined | string {
  return typeof result === "string" ? result : result === 0 ? undefined : BigInt(usec);
}

test("libsystemd reads a watchdog's environment as the oracle says (W1 to W4)", options, async () => {
  await using libsystemd = new NotifyLibsystemd();
  for (const row of watchdogRows) {
    for (const keepEnv of [false, true]) {
      const environment = watchdogEnv(row, libsystemd.pid);
      const answer = await libsystemd.watchdog(environment, keepEnv);
      assert.equal(theirInterval(answer), row[3], String(row));
      assert.deepEqual(answer.left, keepEnv ? Object.keys(environment).sort() : [], String(row));
    }
  }
});

test("watchdog() does what libsystemd does in 500 random environments", options, async () => {
  await using libsystemd = new NotifyLibsystemd();
  // A libsystemd that knows C23's binary prefix takes more of it: see test/oracle/table_test.ts.
  const { result } = await libsystemd.watchdog({ WATCHDOG_USEC: "+0b1" });
  const wanted = (number: string) => result === "EINVAL" || !/0b/i.test(number.replace(/^[ \t\n\r]*(0b)?/i, ""));
  const seen = new Set<string>();
  const property = fc.asyncProperty(watchdogEnvironments(libsystemd.pid, wanted), async (environment) => {
    const theirs = theirInterval(await libsystemd.watchdog(environment as Record<string, string>));
    const host = withEnv({ ...environment } as Record<string, string>);
    assert.equal(watchdogResult(host, libsystemd.pid), theirs, JSON.stringify(environment));
    seen.add(typeof theirs === "string" ? theirs : typeof theirs);
  });
  await fc.assert(property, { numRuns: 500 });
  assert.deepEqual([...seen].sort(), ["EINVAL", "ERANGE", "bigint", "undefined"]);
});
