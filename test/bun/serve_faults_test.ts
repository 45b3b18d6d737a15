import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { activate, type ActivateOptions, eventually, type Started } from "../fixtures/activate.ts";
import { exhaust } from "../fixtures/exhaust.ts";
import { ask, connectMany, countResponses, getRequest, type RawClient } from "../fixtures/http_client.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

function start(held: Held, options: object = {}, more: Partial<ActivateOptions> = {}): Started {
  const args = [JSON.stringify(options)];
  return activate({ variant: everything, script: "test/bun/fixtures/serve_native.ts", fds: [held.fd], args, ...more });
}

/** Runs a test on an inherited TCP socket and on a Unix socket. */
async function onBoth(run: (held: Held) => Promise<void>): Promise<void> {
  using tcp = holdTcp({ backlog: 256 });
  await run(tcp);
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`, { backlog: 256 });
  await run(unix);
}

const answered = (clients: readonly RawClient[]) => clients.filter((c) => countResponses(c.text()) > 0).length;

/** A server of serveNative() that may have 64 descriptors, and what it does when they run out. */
async function exhaustServer(held: Held, late: boolean): Promise<void> {
  await using started = start(held, {}, { before: "ulimit -n 64;" });
  await started.line();
  await exhaust(started, held.target, getRequest("/static"), { late });
  assert.equal(await ask(held.target, { path: "/static" }), "200 static");
  assert.equal(await started.terminate(), 0, started.stderr());
}

if (runtime === "Bun") {
  test("serveNative() serves 200 clients that were queued before it started", () =>
    onBoth(async (held) => {
      const clients = await connectMany(held.target, 200, getRequest("/static"));
      await using started = start(held);
      assert.ok(await eventually(() => answered(clients) === 200, 30_000), `${answered(clients)} of 200`);
      clients.forEach(({ socket }) => socket.destroy());
      assert.equal(await started.terminate(), 0, started.stderr());
    }));

  test("serveNative() neither spins nor fails when descriptors run out, and recovers", () =>
    onBoth((held) => exhaustServer(held, false)));

  test("serveNative() recovers also where silent clients took all descriptors", async () => {
    using held = holdTcp({ backlog: 256 });
    await exhaustServer(held, true);
  });

  test("stop() of serveNative() answers what is in flight, and leaves the queue to the next instance", () =>
    onBoth(async (held) => {
      await using first = start(held);
      await first.line();
      const slow = ask(held.target, { path: "/slow" });
      // stop() resets who has not been read from.
      assert.ok(await eventually(() => first.stdout().endsWith("\nslow\n")), first.stderr());
      // Idle from here on: stop() ends it.
      const [idle] = await connectMany(held.target, 1, getRequest("/static"));
      assert.ok(await eventually(() => answered([idle]) === 1));
      assert.equal(await ask(held.target, { path: "/stop" }), "200 stopping");
      const [next] = await connectMany(held.target, 1, getRequest("/static"));
      assert.equal(await slow, "200 slow");
      // Nothing of the server keeps the process.
      assert.equal(await first.exited, 0, first.stderr());
      assert.equal(next.text(), "");
      await using second = start(held);
      await second.line();
      assert.ok(await eventually(() => answered([next]) === 1));
      next.socket.destroy();
      assert.equal(await second.terminate(), 0, second.stderr());
    }));

  test(
    "stop() of serveNative() neither shuts an inherited socket down nor deletes its path",
    needs("strace"),
    async () => {
      using folder = tempFolder();
      const path = `${folder.path}/s.sk`;
      using held = holdUnix(path);
      const log = `${folder.path}/log`;
      // -D makes strace the grandchild, so that LISTEN_PID stays true.
      const how = `exec strace -D -f -e trace=shutdown,unlink,unlinkat -o ${log} "$@"`;
      await using started = start(held, {}, { how });
      await started.line();
      assert.equal(await started.terminate(), 0, started.stderr());
      const calls = readFileSync(log, "utf8");
      assert.match(calls, /exited with 0/);
      assert.doesNotMatch(calls, /shutdown\(/);
      assert.equal(calls.includes(path), false, calls);
    },
  );

  test("serveNative() closes what reached the placeholder, and does not serve it", async () => {
    using held = holdTcp();
    const script = "test/bun/fixtures/placeholder.ts";
    await using started = activate({ variant: everything, script, fds: [held.fd] });
    assert.equal(await started.exited, 0, started.stderr());
    assert.match(started.stdout(), /^queued: 1\nclient: "(ECONNRESET)?"\n$/);
  });

  test("serveNative() goes on when clients break off in a request or in a response", () =>
    onBoth(async (held) => {
      await using started = start(held);
      await started.line();
      for (
        const request of ["GET /sta", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", getRequest("/big")]
      ) {
        const [client] = await connectMany(held.target, 1, request);
        if (request === getRequest("/big")) assert.ok(await eventually(() => client.text() !== ""));
        else await sleep(50);
        client.socket.resetAndDestroy?.();
        client.socket.destroy();
      }
      assert.equal(await ask(held.target, { path: "/static" }), "200 static");
      assert.equal(await started.terminate(), 0, started.stderr());
      assert.equal(started.stderr(), "");
    }));

  test("unref() of serveNative() lets the process end", () =>
    onBoth(async (held) => {
      await using started = start(held, { unref: true });
      assert.equal(await started.exited, 0, started.stderr());
      assert.match(started.stdout(), /"url"/);
    }));
} else test(`the faults of Bun.serve() are none of ${runtime}'s`, () => assert.equal("Bun" in globalThis, false));
