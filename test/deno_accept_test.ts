// What accept(2) says of clients that are gone, and what of us: with a Deno.Listener of the test's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DenoStreamListener } from "../runtimes/deno/listener.ts";
import type { DenoConn, DenoListener } from "../runtimes/deno/types.ts";
import { activate } from "./fixtures/activate.ts";
import { echoes, open } from "./fixtures/client.ts";
import { variants } from "./fixtures/runtime.ts";
import { holdTcp } from "./fixtures/sockets.ts";

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
