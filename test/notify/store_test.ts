import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fd3Error } from "../../mod.ts";
import { takeFd, unclaimedFds } from "../../src/activation/take_fd.ts";
import { choose as chooseFds, streamListener } from "../../src/activation/choose.ts";
import { choose } from "../fixtures/choose.ts";
import { typeError } from "../fixtures/expect.ts";
import { fakeHost, forgetTable, ownPid } from "../fixtures/fake_host.ts";
import { plainFile, tcpSocket } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";
import { type Call, type Line, linesOf, serve, startNotifier } from "../fixtures/notifying.ts";
import { holdNotifySocket, memfd } from "../fixtures/notify_socket.ts";
import { everything, libc, runtime, type Variant, variants } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";

/** A process that was passed `a` twice, a listener `web`, and a name that only a socket unit can have. */
function passed() {
  forgetTable();
  const kernel = new FakeKernel();
  for (const fd of [3, 4, 6]) kernel.put(fd, plainFile("/memfd:x"));
  kernel.put(5, tcpSocket(5, 80));
  const environment = { LISTEN_PID: String(ownPid), LISTEN_FDS: "4", LISTEN_FDNAMES: "a:a:web:my\\\\x2dapp.socket" };
  return fakeHost({ libc: kernel.libc, environment });
}

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    return `${(error as Fd3Error).code} ${(error as Error).message}`;
  }
};

test("takeFd() gives each descriptor of a name once", () => {
  const host = passed();
  assert.equal(takeFd(host, "none"), undefined);
  assert.equal(takeFd(host, "a"), 3);
  assert.deepEqual(unclaimedFds(host).map(({ fd }) => fd), [4, 5, 6]);
  assert.equal(takeFd(host, "a"), 4);
  const list = 'fd 3 "a" (taken before), fd 4 "a" (taken before)';
  assert.equal(
    codeOf(() => takeFd(host, "a")),
    `ERR_FD3_TAKEN Cannot take a descriptor twice: received were ${list}`,
  );
  assert.equal(takeFd(host, "my\\x2dapp.socket"), 6);
  assert.throws(() => takeFd(host, 3 as never), typeError("Cannot take a descriptor: the name is 3, not a string"));
  assert.deepEqual(unclaimedFds(host), [{ fd: 5, name: "web" }]);
  assert.deepEqual(host.environment, {});
});

test("listen() does not see what takeFd() gave out", () => {
  const host = passed();
  assert.equal(choose(host).fd, 5);
  assert.equal(takeFd(host, "web"), 5);
  assert.match(codeOf(() => choose(host))!, /^ERR_FD3_KIND/);
  assert.match(
    codeOf(() => choose(host, { name: "web" }))!,
    /^ERR_FD3_NAME .*"a", "my\\\\x2dapp.socket"; /,
  );
  for (const name of ["a", "a", "my\\x2dapp.socket"]) takeFd(host, name);
  assert.equal(chooseFds(host, streamListener, { fallback: "127.0.0.1:0" }), undefined);
  const why = "ERR_FD3_NO_FDS No file descriptors received: takeFd() has all that were passed";
  assert.equal(codeOf(() => choose(host)), why);
  forgetTable();
});

test("takeFd() gives what was passed to nobody, and the error that reading it gave", () => {
  forgetTable();
  const none = fakeHost();
  assert.equal(takeFd(none, "a"), undefined);
  assert.deepEqual(unclaimedFds(none), []);
  forgetTable();
  const broken = fakeHost({ environment: { LISTEN_PID: String(ownPid), LISTEN_FDS: "x" } });
  assert.match(codeOf(() => takeFd(broken, "a"))!, /^EINVAL/);
  assert.match(codeOf(() => unclaimedFds(broken))!, /^EINVAL/);
  forgetTable();
});

interface Restart {
  readonly lines: Line[];
  readonly texts: readonly string[];
}

/** The next start of a service that has stored these texts, by name, and has a socket as its first descriptor. */
async function restart(variant: Variant, calls: readonly Call[], names: string, ...texts: string[]): Promise<Restart> {
  using folder = tempFolder();
  using listener = holdUnix(`${folder.path}/s.sk`);
  using socket = holdNotifySocket(`${folder.path}/notify`);
  const stored = texts.map(memfd);
  try {
    const options = { fds: [listener.fd, ...stored], names };
    await using started = startNotifier(variant, socket.address, calls, {}, options);
    const received = await serve(socket, started);
    return { lines: await linesOf(started), texts: received.map(({ text }) => text) };
  } finally {
    for (const fd of stored) libc().close(fd);
  }
}

test(`what was stored comes back by name, and is of use (${runtime})`, async () => {
  const calls: Call[] = [["takeFd", "state"], ["cat", 5], ["listen", { name: "web" }], ["unclaimedFds"], [
    "takeFd",
    "web",
  ]];
  const { lines } = await restart(everything, calls, "web:old:state", "alt", "Stand");
  assert.deepEqual(lines.slice(0, 4).map(({ value }) => value), [5, "Stand", {}, [{ fd: 4, name: "old" }]]);
  assert.deepEqual(lines[4], {
    name: "Fd3Error",
    code: "ERR_FD3_TAKEN",
    message: 'Cannot take a descriptor twice: received were fd 3 "web" (taken before)',
  });
});

test(`listen() opens its fallback where only the store passed something, and it was taken (${runtime})`, async () => {
  const fallback = { fallback: "127.0.0.1:0" };
  const calls: Call[] = [["takeFd", "web"], ["takeFd", "a"], ["listen", fallback]];
  const { lines } = await restart(everything, calls, "web:a", "x");
  assert.deepEqual(lines.map(({ value }) => value), [3, 4, {}]);
});

test(`dropFd() closes what nobody claims, and takes it out of the store (${runtime})`, async () => {
  for (const variant of runtime === "Node" ? variants : [everything]) {
    const calls: Call[] = [
      ["takeFd", "state"],
      ["dropFd", { fd: 4, name: "old" }],
      ["unclaimedFds"],
      ["cat", 4],
      ["cat", 5],
      ["dropFd", { fd: 4, name: "old" }],
      ["dropFd", { fd: 5, name: "state" }],
      ["dropFd", { fd: 77, name: "old" }],
      // No store can have that name: it is a socket's.
      ["dropFd", { fd: 3, name: "a:b" }],
    ];
    const { lines, texts } = await restart(variant, calls, "a\\:b:old:state", "alt", "Stand");
    assert.deepEqual(texts, ["FDSTOREREMOVE=1\nFDNAME=old"], variant.name);
    const error = (code: string, message: string) => ({ name: "Fd3Error", code, message });
    const { name: _name, code, message: _message } = lines[3];
    assert.equal(code, "ENOENT", variant.name);
    assert.deepEqual(lines.toSpliced(3, 1), [
      { value: 5 },
      { value: true },
      { value: [{ fd: 3, name: "a:b" }] },
      { value: "Stand" },
      error("ERR_FD3_TAKEN", "Cannot drop fd 4: it was taken before"),
      error("ERR_FD3_TAKEN", "Cannot drop fd 5: it was taken before"),
      error("EBADF", "Cannot drop fd 77: it was not passed"),
      { value: false },
    ], variant.name);
  }
});

test(`a Deno without FFI can take descriptors, and cannot drop them (${runtime})`, async () => {
  const variant = variants.find(({ name }) => name === "Deno without FFI");
  if (variant === undefined) return assert.notEqual(runtime, "Deno");
  const calls: Call[] = [["takeFd", "state"], ["dropFd", { fd: 4, name: "old" }], ["unclaimedFds"]];
  const env = "--allow-env=LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES,NOTIFY_SOCKET";
  const command = variant.command.map((flag) => flag.startsWith("--allow-env") ? env : flag);
  const { lines, texts } = await restart({ ...variant, command }, calls, "web:old:state", "alt", "Stand");
  const message = "Cannot drop fd 4: Deno calls libc with --allow-ffi";
  assert.deepEqual(lines, [
    { value: 5 },
    { name: "Fd3Error", code: "ERR_FD3_FFI", message },
    { value: [{ fd: 3, name: "web" }, { fd: 4, name: "old" }] },
  ]);
  assert.deepEqual(texts, []);
});
