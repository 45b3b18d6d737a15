import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { activate, eventually, type Started } from "../fixtures/activate.ts";
import { places, testAbreast } from "../fixtures/engines.ts";
import { getRequest, openRaw, type RawClient } from "../fixtures/http_client.ts";
import { everything, runtime, type Variant } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

interface Way {
  readonly name: string;
  readonly way: string;
  readonly variant: Variant;
  readonly engine?: string;
}

const native: Way[] = runtime === "Node"
  ? []
  : [{ name: `serveNative() on ${runtime}`, way: "native", variant: everything }];
const ways: readonly Way[] = [
  ...places.map(({ name, variant, engine }) => ({ name, way: "serve", variant, engine })),
  ...native,
  { name: `attach() on ${runtime}`, way: "attach", variant: everything },
];

/** Runs a check on a TCP socket and on a Unix socket. */
async function withStreams(
  { way, variant, engine }: Way,
  options: object,
  check: (held: Held, started: Started) => Promise<void>,
): Promise<void> {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  // At once: it waits more than it works.
  await Promise.all([tcp, unix].map(async (held) => {
    const args = [way, JSON.stringify({ ...(engine === undefined ? {} : { engine }), ...options })];
    await using started = activate({ variant, script: "test/http/fixtures/streaming.ts", args, fds: [held.fd] });
    await started.line();
    await check(held, started);
  }));
}

const isTcp = ({ target }: Held) => "port" in target;

/** Asks, and waits until the handler runs. */
async function begin(started: Started, held: Held, path: string): Promise<RawClient> {
  const client = await openRaw(held.target);
  client.socket.on("error", () => {});
  client.socket.write(getRequest(path));
  assert.ok(await eventually(() => started.stderr().includes(`${path} began`)), started.stderr());
  return client;
}

async function stop(started: Started): Promise<{ ended: Promise<number | string> }> {
  const ended = started.terminate();
  assert.ok(await eventually(() => started.stderr().includes("stopping\n")), started.stderr());
  return { ended };
}

const end = "\r\n0\r\n\r\n";

/** All that came, however it ended. */
async function untilClosed(client: RawClient): Promise<string> {
  await new Promise((resolve) => client.socket.destroyed ? resolve(undefined) : client.socket.once("close", resolve));
  return client.text();
}

for (const way of ways) {
  test(`shutdown() ends streams after streamTimeout, and their bodies do not look complete (${way.name})`, async () => {
    await withStreams(way, { streamTimeout: 300 }, async (held, started) => {
      const events = await begin(started, held, "/events");
      const chunks = await begin(started, held, "/chunks");
      for (const client of [events, chunks]) assert.ok(await eventually(() => client.text().includes("tick")));
      const { ended } = await stop(started);
      for (const client of [events, chunks]) {
        const text = await untilClosed(client);
        assert.ok(text.includes("tick") && !text.endsWith(end), text.slice(-100));
      }
      assert.equal(await ended, 0, started.stderr());
      assert.match(started.stderr(), /fd3: stopping: 2 responses open for 0\.\d s/);
      if (isTcp(held) || !way.name.includes("Bun")) {
        assert.match(started.stderr(), /s: GET \/events, GET \/chunks$/m);
      }
    });
  });

  if (way.way !== "attach") {
    test(`shutdown() tells handlers that write streams, and no others (${way.name})`, async () => {
      await withStreams(way, {}, async (held, started) => {
        const polite = await begin(started, held, "/polite/events");
        assert.ok(await eventually(() => polite.text().includes("tick")));
        const slow = await begin(started, held, "/slow");
        const { ended } = await stop(started);
        assert.ok((await untilClosed(polite)).endsWith(end));
        assert.match(await slow.ended, /slow$/);
        assert.equal(await ended, 0, started.stderr());
        assert.match(started.stderr(), /\/polite\/events is told/);
        // Once it was answered, Deno itself tells of that.
        if (runtime !== "Deno") assert.doesNotMatch(started.stderr(), /\/slow is told/);
        assert.doesNotMatch(started.stderr(), /fd3: stopping/);
      });
    });
  }

  test(`shutdown() does not wait for a handler that never settles and whose client is gone (${way.name})`, async () => {
    await withStreams(way, {}, async (held, started) => {
      const gone = await begin(started, held, "/never");
      gone.socket.destroy();
      const { ended } = await stop(started);
      // Not the 30 s of drainTimeout, after which it would be cut off.
      const isLate = sleep(20_000, "late", { ref: false });
      assert.equal(await Promise.race([ended, isLate]), 0, started.stderr());
    });
  });

  test(`shutdown() lets a response of known length go on past streamTimeout (${way.name})`, async () => {
    await withStreams(way, { streamTimeout: 100 }, async (held, started) => {
      if (way.name.includes("Bun") && way.engine !== "node-http" && way.way !== "attach") {
        return void console.log("skipped: nothing tells how long a response is that Bun.serve() sends");
      }
      const client = await begin(started, held, "/length");
      const { ended } = await stop(started);
      assert.match(await untilClosed(client), /\r\n\r\nx{15}$/);
      assert.equal(await ended, 0, started.stderr());
    });
  });
}

testAbreast(
  ways,
  "shutdown() answers half a request that is completed within 5 s, and ends without it then",
  async (way) => {
    await withStreams(way, {}, async (held, started) => {
      // On Deno and Node, node:http knows each connection.
      const isKnown = isTcp(held) || (runtime !== "Bun" && (way.way === "attach" || way.engine === "node-http"));
      if (!isKnown) {
        return void console.log("skipped: of a Unix socket the kernel does not tell that half a request has come");
      }
      const second = await begin(started, held, "/");
      assert.ok(await eventually(() => second.text().endsWith("Hello World")));
      const [first, never] = [await openRaw(held.target), await openRaw(held.target)];
      // At once: the kernel may have one time for the connection and for what was sent.
      for (const { socket } of [first, never]) socket.write("GET / HTTP/1.1\r\nHo");
      // Behind it all has been read that was sent before.
      await begin(started, held, "/");
      second.socket.write("GET / HTTP/1.1\r\nHo");
      await sleep(100);
      const { ended } = await stop(started);
      // second has asked before, and first has not.
      for (const client of [second, first]) {
        await sleep(1000);
        client.socket.write("st: a\r\n\r\n");
        const isAnswered = () => /connection: close[^]*Hello World$/i.test(client.text());
        assert.ok(await eventually(isAnswered), client.text());
      }
      await untilClosed(never);
      const isLate = sleep(20_000, "late", { ref: false });
      assert.equal(await Promise.race([ended, isLate]), 0, started.stderr());
    });
  },
);
