// What accept(2) says of clients that are gone, and what of us: with a Deno.Listener of the test's.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { listenNative } from "../../runtimes/deno.ts";
import { pastGone } from "../../runtimes/deno/accept.ts";
import { DenoStreamListener } from "../../runtimes/deno/listener.ts";
import type { DenoConn, DenoListener } from "../../runtimes/deno/types.ts";
import { activate } from "../fixtures/activate.ts";
import { echoes, open } from "../fixtures/client.ts";
import { ask } from "../fixtures/http_client.ts";
import { runtime, variants } from "../fixtures/runtime.ts";
import { holdTcp } from "../fixtures/sockets.ts";

const local = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;

/** A listener whose accept() rejects with these before it gives a connection; and how often it waited meanwhile. */
async function waitsFor(errors: readonly object[]): Promise<number> {
  const left = [...errors];
  const conn = { localAddr: local, remoteAddr: local, close: () => {} } as unknown as DenoConn;
  const native = {
    accept: () => left.length === 0 ? Promise.resolve(conn) : Promise.reject(left.shift()),
    close: () => {},
  } as unknown as DenoListener;
  const parts = { address: local, activated: true, name: "x", stop: () => {} };
  const listener = new DenoStreamListener(native, parts);
  const { setTimeout: real } = globalThis;
  let waits = 0;
  globalThis.setTimeout = ((callback: () => void) => {
    waits++;
    queueMicrotask(callback);
  }) as unknown as typeof setTimeout;
  try {
    for await (const connection of listener) {
      await connection.close();
      break;
    }
  } finally {
    globalThis.setTimeout = real;
  }
  return waits;
}

const error = (name: string, code?: string) => Object.assign(new Error(`${name} (os error 0)`), { name, code });

test("a Deno listener accepts on at once after clients that are gone, also where Deno gives no code", async () => {
  const gone = ["NotConnected", "ConnectionAborted", "ConnectionReset"].map((name) => error(name));
  const coded = [error("NotConnected", "ENOTCONN"), error("Error", "ECONNABORTED"), error("Error", "EPROTO")];
  assert.equal(await waitsFor([...gone, ...coded, ...gone]), 0);
});

test("a Deno listener waits for a descriptor, and after what it does not know", async () => {
  assert.equal(await waitsFor([error("Error", "EMFILE")]), 1);
  assert.equal(await waitsFor([error("Error", "ENFILE"), error("Error", "ENOMEM"), error("Strange")]), 3);
});

test("a Deno listener waits where the kernel refuses each accept(), as a sandbox does: nothing leaves the queue", async () => {
  const refused = [error("PermissionDenied", "EPERM"), error("PermissionDenied", "EACCES"), error("PermissionDenied")];
  assert.equal(await waitsFor([...refused, error("Error", "EOPNOTSUPP"), error("NotSupported", "ENOTSUP")]), 5);
});

test("accept() of a Deno.Listener of fd3's passes over clients that are gone, and rejects with all else", async () => {
  const conn = {} as DenoConn;
  const left: object[] = [error("NotConnected"), error("Error", "ECONNABORTED"), conn, error("Error", "EMFILE")];
  const native = pastGone(
    {
      accept: () => {
        const next = left.shift()!;
        return next === conn ? Promise.resolve(conn) : Promise.reject(next);
      },
    } as unknown as DenoListener,
  );
  assert.equal(await native.accept(), conn);
  await assert.rejects(native.accept(), { code: "EMFILE" });
});

const skip = runtime === "Deno" ? false : "only Deno has a Deno.Listener";

test(
  "a loop over listenNative() goes on after clients that reset before they were accepted (Deno)",
  { skip },
  async () => {
    const native = await listenNative({ fallback: "127.0.0.1:0" });
    const target = { host: "127.0.0.1", port: (native.addr as { port: number }).port };
    for (let i = 0; i < 5; i++) (await open(target)).resetAndDestroy();
    const good = await open(target);
    let served = 0;
    for await (const conn of native) {
      served++;
      conn.close();
      break;
    }
    assert.equal(served, 1);
    // Leaving the loop has closed the listener, as Deno does.
    good.destroy();
  },
);

/** More than 20 s for a listener that waits 100 ms for each. */
const resets = 200;

for (const variant of variants) {
  test(`listen() serves a client behind ${resets} that reset before they were accepted (${variant.name})`, async () => {
    using held = holdTcp({ backlog: resets + 10 });
    for (let i = 0; i < resets; i++) (await open(held.target)).resetAndDestroy();
    const good = await open(held.target);
    good.setTimeout(15_000, () => good.destroy(new Error("nothing for 15 s")));
    await using _daemon = activate({
      variant,
      script: "test/fixtures/daemon.ts",
      args: ["echo"],
      fds: [held.fd],
    });
    await echoes(good, "hello");
    good.destroy();
  });
}

for (const variant of variants) {
  test(`serve() answers a client behind ${resets} that reset, and between others (${variant.name})`, async () => {
    using held = holdTcp({ backlog: resets + 10 });
    const reset = async () => (await open(held.target)).resetAndDestroy();
    for (let i = 0; i < resets; i++) await reset();
    await using daemon = activate({ variant, script: "test/fixtures/http_daemon.ts", fds: [held.fd] });
    await daemon.line();
    const late = setTimeout(() => process.kill(daemon.pid, "SIGKILL"), 15_000);
    for (let i = 0; i < 20; i++) {
      assert.equal(await ask(held.target), "200 Hello World");
      await reset();
    }
    clearTimeout(late);
  });
}
