import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { activate, eventually } from "../fixtures/activate.ts";
import { ask, getRequest, openRaw } from "../fixtures/http_client.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

async function onEach(check: (held: Held) => Promise<void>): Promise<void> {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  for (const held of [tcp, unix]) await check(held);
}

function start({ fd }: Held, options = {}) {
  const args = [JSON.stringify(options)];
  return activate({ variant: everything, script: "test/daemon/fixtures/native.ts", args, fds: [fd] });
}

function onOwnServer(): void {
  test(`context.serveNative() is served, told of, and drained when the daemon stops (${runtime})`, async () => {
    await onEach(async (held) => {
      await using started = start(held);
      assert.equal(await ask(held.target), "200 native");
      const engine = `${runtime.toLowerCase()}-serve`;
      assert.ok(await eventually(() => started.stderr().includes(`(${engine}, inherited)`)), started.stderr());
      const late = await openRaw(held.target);
      assert.equal(await ask(held.target), "200 native");
      const ended = started.terminate();
      assert.ok(await eventually(() => started.stderr().includes("stopping\n")), started.stderr());
      late.socket.write(getRequest("/"));
      assert.match(await late.ended, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*native$/i);
      assert.equal(await ended, 0, started.stderr());
    });
  });

  test(`context.serveNative() counts for the idle exit (${runtime})`, async () => {
    await onEach(async (held) => {
      await using started = start(held, { idleTimeout: 250 });
      const client = await openRaw(held.target);
      client.socket.write(getRequest("/"));
      assert.ok(await eventually(() => client.text().includes("native")), started.stderr());
      await sleep(1000);
      assert.equal(started.child.exitCode, null);
      client.socket.destroy();
      assert.equal(await started.exited, 0, started.stderr());
    });
  });
}

if (runtime !== "Node") onOwnServer();
else {
  test("context.serveNative() says on Node what to call instead", async () => {
    await onEach(async (held) => {
      await using started = start(held);
      assert.equal(await started.exited, 1);
      assert.match(
        started.stderr(),
        /Cannot serve with the runtime's own server: Node's are those of node:http, which attach\(\) takes/,
      );
    });
  });
}
