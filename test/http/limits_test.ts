// idleConnectionTimeout of serve(): what does nothing is closed, and nothing else is.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type Started } from "../fixtures/activate.ts";
import { type Place, places, portOf, startServer, testAbreast } from "../fixtures/engines.ts";
import { ask, countResponses, getRequest, openRaw } from "../fixtures/http_client.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

const limitMs = 1000;
/** Longer than the limit and the quarter by which it may be late, and than Bun takes to notice its own. */
const longMs = 4000;

/** Runs a check with a server on a TCP socket, and with one on a Unix socket, at the same time. */
async function onBoth(place: Place, check: (held: Held, started: Started) => Promise<void>): Promise<void> {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  await Promise.all([tcp, unix].map(async (held) => {
    await using started = await startServer(place, [held.fd], { idleConnectionTimeout: limitMs });
    await check(held, started);
  }));
}

/** Sends a body of which one byte comes after a long time, and gives the answer. */
async function uploadSlowly({ target }: Held): Promise<string> {
  const client = await openRaw(target);
  client.socket.write("POST /count HTTP/1.1\r\nHost: example\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabc");
  await sleep(longMs);
  client.socket.write("d");
  return await client.ended;
}

/** Reads a large response after a long time. */
async function downloadLate({ target }: Held): Promise<string> {
  const client = await openRaw(target);
  client.socket.pause();
  client.socket.write(getRequest("/give?32", "Connection: close\r\n"));
  await sleep(longMs);
  client.socket.resume();
  return await client.ended;
}

/** What a connection does that has nothing to do. */
const nothings: Record<string, string> = {
  "nothing at all": "",
  "half a request": "GET / HTTP/1.1\r\nHost: exa",
  "one answered request": getRequest("/later"),
};

/** Which of them are closed. The kernel tells nothing of connections on Unix sockets. */
function closedAt({ engine }: Place, held: Held): readonly string[] {
  const all = Object.keys(nothings);
  if (engine === "node-http") return all;
  if (portOf(held) === undefined) return [];
  return engine === "bun-serve" ? all : all.slice(0, 2);
}

testAbreast(places, "serve() cuts no request off, however long nothing moves", async (place) => {
  await onBoth(place, async (held) => {
    const [slow, drip, upload, download] = await Promise.all([
      ask(held.target, { path: `/slow?${longMs}` }),
      // Five parts, none of them soon.
      ask(held.target, { path: `/drip?${3 * longMs}` }),
      uploadSlowly(held),
      downloadLate(held),
    ]);
    assert.equal(slow, "200 slow and whole");
    assert.match(drip, /^200 drop 0\n[^]*drop 4\n$/);
    assert.match(upload, /^HTTP\/1.1 200 [^]*\r\n\r\n(?:1\r\n)?4/);
    assert.ok(download.length > 32 * 1024 * 1024, `${download.length} bytes: ${download.slice(0, 200)}`);
  });
});

testAbreast(places, "serve() closes a connection that does nothing", async (place) => {
  await onBoth(place, async (held, started) => {
    const other = await openRaw(held.target);
    // Deno.serve() closes half a request while no handler runs.
    if (place.engine !== "deno-serve") {
      other.socket.write(getRequest("/hang"));
      assert.ok(await eventually(() => started.stderr().includes("hang began")), started.stderr());
    }
    for (const what of closedAt(place, held)) {
      const client = await openRaw(held.target);
      if (nothings[what] !== "") client.socket.write(nothings[what]);
      const text = await client.ended;
      assert.equal(countResponses(text), what === "one answered request" ? 1 : 0, `${what}: ${text}`);
    }
    other.socket.destroy();
    assert.equal(await ask(held.target), "200 Hello World");
    assert.equal(await started.terminate(), 0, started.stderr());
  });
});

testAbreast(places, "serve() answers a request that came when its connection had been idle for long", async (place) => {
  await onBoth(place, async (held, started) => {
    const client = await openRaw(held.target);
    client.socket.write(getRequest(`/block?${longMs}`));
    assert.ok(await eventually(() => countResponses(client.text()) === 1), client.text());
    // Then its idleness is known, and the time is over before the block ends: its next request is in the kernel by then.
    assert.ok(await eventually(() => started.stderr().includes("block began")), started.stderr());
    client.socket.write(getRequest("/later"));
    assert.ok(await eventually(() => countResponses(client.text()) === 2), client.text());
    client.socket.destroy();
  });
});

testAbreast(places, "serve() closes no connection that asks again and again for the same", async (place) => {
  await onBoth(place, async (held) => {
    const client = await openRaw(held.target);
    const end = Date.now() + longMs;
    for (let count = 1; Date.now() < end; count++) {
      client.socket.write(getRequest("/"));
      const isAnswered = () => countResponses(client.text()) === count;
      assert.ok(await eventually(isAnswered), `${count} asked, ${countResponses(client.text())} answered`);
      await sleep(limitMs / 10);
    }
    client.socket.destroy();
  });
});
