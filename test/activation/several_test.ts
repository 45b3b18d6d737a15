// `listen({ all: true })`: several inherited sockets as one listener.
import assert from "node:assert/strict";
import { test } from "node:test";
import { listen } from "../../mod.ts";
import { choose } from "../fixtures/choose.ts";
import { listenAllWith, listenWith } from "../../src/listen.ts";
import { SOCK_DGRAM } from "../../src/linux/constants.ts";
import { activate } from "../fixtures/activate.ts";
import { echoes, echoOnce, open } from "../fixtures/client.ts";
import { typeError } from "../fixtures/expect.ts";
import { fakeHost, forgetTable, ownPid } from "../fixtures/fake_host.ts";
import { tcpSocket } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";
import { runtime, variants } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

const daemon = "test/fixtures/daemon.ts";

for (const variant of variants) {
  test(`listen() with all serves every socket that fits, and leaves them to the next instance (${variant.name})`, async () => {
    using folder = tempFolder();
    using unix = holdUnix(`${folder.path}/s.sk`);
    using tcp = holdTcp();
    using datagram = holdTcp({ type: SOCK_DGRAM });
    // Without FFI Deno cannot tell what they are.
    const fds = variant.name === "Deno without FFI" ? [unix.fd, tcp.fd] : [unix.fd, datagram.fd, tcp.fd];
    const options = { variant, script: daemon, args: ["echo", '{"all":true}'], fds };
    for (const text of ["first", "second"]) {
      await using started = activate(options);
      const { addresses, address, activated } = JSON.parse(await started.line());
      assert.equal(activated, true);
      assert.deepEqual(address, addresses[0]);
      assert.deepEqual(addresses.map(({ transport }: { transport: string }) => transport), ["unix", "tcp"]);
      assert.equal(addresses[1].port, tcp.port);
      const [one, two] = [await open(unix.target), await open(tcp.target)];
      await echoes(two, text);
      await echoes(one, text);
      await echoOnce(tcp.target, text);
      await echoOnce(unix.target, text);
      one.destroy();
      two.destroy();
      assert.equal(await started.terminate(), 0, started.stderr());
    }
  });

  test(`listen() with all gives every socket back where one cannot be adopted (${variant.name})`, async () => {
    using folder = tempFolder();
    using unix = holdUnix(`${folder.path}/s.sk`);
    using tcp = holdTcp();
    const script = "test/activation/fixtures/second_fails.ts";
    await using started = activate({ variant, script, fds: [unix.fd, tcp.fd] });
    const { failure, addresses } = JSON.parse(await started.line());
    assert.match(failure, /no more of them$|Cannot open a placeholder with Bun.listen\(\)$/);
    // Without libc what was adopted is closed with its listener.
    assert.equal(addresses.length, variant.ffi ? 2 : 1, started.stderr());
    await echoOnce(tcp.target, "tcp");
    if (variant.ffi) await echoOnce(unix.target, "unix");
    assert.equal(await started.terminate(), 0, started.stderr());
  });
}

test(`listen() with all opens its fallback, one address (${runtime})`, async () => {
  forgetTable();
  await using listener = await listen({ all: true, fallback: "127.0.0.1:0" });
  assert.equal(listener.activated, false);
  assert.deepEqual(listener.addresses, [listener.address]);
});

/** A process that was passed two sockets. */
function passedTwo() {
  forgetTable();
  const kernel = new FakeKernel();
  kernel.put(3, tcpSocket(1, 80));
  kernel.put(4, tcpSocket(2, 81));
  const environment = { LISTEN_PID: String(ownPid), LISTEN_FDS: "2", LISTEN_FDNAMES: "a:b" };
  return { kernel, host: fakeHost({ libc: kernel.libc, environment, isOpen: () => true }) };
}

const never = () => assert.fail("nothing is opened");

test("listenAllWith() gives a listener for each, in order, and keeps no descriptor of its own", async () => {
  const { kernel, host } = passedTwo();
  const before = kernel.snapshot();
  const adapter = { host, adopt: ({ fd }: { fd: number }) => `fd ${fd}`, open: never, undo: never };
  assert.deepEqual(await listenAllWith(adapter, { all: true }), ["fd 3", "fd 4"]);
  assert.deepEqual(kernel.snapshot(), before);
});

test("listenAllWith() undoes what was adopted, and puts all back as it was, where the last cannot be", async () => {
  const { kernel, host } = passedTwo();
  const before = kernel.snapshot();
  const undone: number[] = [];
  const failure = new Error("not this one");
  const adopt = ({ fd }: { fd: number }) => {
    if (fd === 4) throw failure;
    return fd;
  };
  const undo = (fd: number) => {
    undone.push(fd);
    kernel.close(fd);
  };
  await assert.rejects(listenAllWith({ host, adopt, open: never, undo }, { all: true }), (error) => error === failure);
  assert.deepEqual(undone, [3]);
  assert.deepEqual(kernel.snapshot().map((line) => line.replace("cloexec=true", "cloexec=false")), before);
  assert.equal(choose(host, { name: "a" }).fd, 3);
  assert.equal(choose(host, { name: "b" }).fd, 4);
});

test("listenAllWith() takes all of them before anything is awaited", async () => {
  const { host } = passedTwo();
  const adapter = { host, adopt: async ({ fd }: { fd: number }) => await fd, open: never, undo() {} };
  const both = [listenAllWith(adapter, { all: true }), listenAllWith(adapter, { all: true })];
  const [first, second] = await Promise.allSettled(both);
  assert.deepEqual(first, { status: "fulfilled", value: [3, 4] });
  assert.equal(second.status === "rejected" && second.reason.code, "ERR_FD3_TAKEN");
});

test("listenWith() refuses to take all", async () => {
  const adapter = { host: passedTwo().host, adopt: never, open: never };
  await assert.rejects(
    listenWith(adapter, { all: true }),
    typeError("Cannot listen: all is true, and this has one socket"),
  );
});
