// How servers end that attach() made listen: one process has one of each kind, on a TCP socket and on a Unix socket.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, heard, type Started } from "../fixtures/activate.ts";
import { getRequest } from "../fixtures/http_client.ts";
import { listeningSockets } from "../fixtures/listening.ts";
import { runtime } from "../fixtures/runtime.ts";
import { needs } from "../fixtures/tools.ts";
import { WebSocketClient } from "../fixtures/web_socket_client.ts";
import { Client, Http2Client, type Kind, type Place, stop, withServers } from "./fixtures/stopping_clients.ts";

const all: readonly Kind[] = ["net", "tls", "http", "https", "http2", "h2c"];
const isHttp = ({ kind }: Place) => kind === "http" || kind === "https";
const isHttp2 = ({ kind }: Place) => kind === "http2" || kind === "h2c";

/** Runs something for each server, at once, and says of which one it failed. */
async function forEach(places: readonly Place[], run: (place: Place) => Promise<void>): Promise<void> {
  await Promise.all(places.map((place) =>
    run(place).catch((error) => {
      throw new Error(`${place.name}: ${error.message}`, { cause: error });
    })
  ));
}

/** What is to be seen at each server behind the stop. */
type Ends = Map<Place, () => Promise<unknown>>;

async function allEnd(ends: Ends): Promise<void> {
  await forEach([...ends.keys()], async (place) => void await ends.get(place)!());
}

/** Waits until each server has ended, and expects that nothing of it is left, and that nothing is closed twice. */
async function allFinished(places: readonly Place[], started: Started): Promise<void> {
  await forEach(places, ({ name }) => heard(started, `${name} finished\n`));
  assert.deepEqual(listeningSockets(started.pid), []);
  started.child.stdin!.write("again\n");
  await heard(started, "of 40 files 40 are open\n");
}

const hasFinished = ({ name }: Place, started: Started) => started.stderr().includes(`${name} finished\n`);

/** An idle connection, a request that is being answered, and a client that sends later. */
async function drainsHttp(place: Place, started: Started, stopped: Promise<void>): Promise<void> {
  const [idle, busy, late] = [await Client.open(place), await Client.open(place), await Client.open(place)];
  idle.socket.write(getRequest("/"));
  await idle.gets("Hello World");
  busy.socket.write(getRequest(`/slow?${place.name}`));
  await heard(started, `/slow?${place.name} began\n`);
  await stopped;
  late.socket.write(getRequest("/late"));
  for (const [client, body] of [[busy, "slow and whole"], [late, "Hello World"]] as const) {
    const text = await client.ended();
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(text, /\r\nconnection: close\r\n/i);
    assert.ok(text.endsWith(body), text);
  }
  await idle.ended();
}

async function drainsHttp2(place: Place, started: Started, stopped: Promise<void>): Promise<void> {
  const [idle, busy] = [await Http2Client.open(place), await Http2Client.open(place)];
  assert.equal(await idle.ask("/").ended, "whole");
  const slow = busy.ask(`/slow?${place.name}`);
  await heard(started, `/slow?${place.name} began\n`);
  await stopped;
  assert.equal(await slow.ended, "whole");
  assert.equal(slow.text(), "slow and whole");
  await Promise.all([idle.goesAway(), busy.goesAway()]);
}

async function drainsNet(place: Place, started: Started, stopped: Promise<void>): Promise<void> {
  const client = await Client.open(place);
  await client.echoes("before");
  await stopped;
  await client.echoes("behind");
  assert.ok(!hasFinished(place, started));
  client.socket.end();
  await client.ended();
}

test(
  `attach(): shutdown() finishes what is in flight, and closes everything once (${runtime})`,
  needs("openssl"),
  async () => {
    await withServers(all, {}, async (places, started) => {
      let go = () => {};
      const stopped = new Promise<void>((resolve) => go = resolve);
      let ready = 0;
      const drained = forEach(places, async (place) => {
        const when = { then: (resolve: () => void) => (ready++, stopped.then(resolve)) } as Promise<void>;
        const drains = isHttp(place) ? drainsHttp : isHttp2(place) ? drainsHttp2 : drainsNet;
        await drains(place, started, when);
      });
      drained.catch(() => {});
      assert.ok(await eventually(() => ready === places.length));
      await stop(started);
      go();
      await drained;
      await allFinished(places, started);
    });
  },
);

test(`attach(): shutdown() cuts off after drainTimeout what does not end (${runtime})`, needs("openssl"), async () => {
  await withServers(all, { drainTimeout: 300 }, async (places, started) => {
    const ends: Ends = new Map();
    await forEach(places, async (place) => {
      if (isHttp2(place)) {
        const client = await Http2Client.open(place);
        client.ask(`/never?${place.name}`);
        await heard(started, `/never?${place.name} began\n`);
        ends.set(place, () => client.ended());
      } else {
        const client = await Client.open(place);
        if (isHttp(place)) {
          client.socket.write(getRequest(`/never?${place.name}`));
          await heard(started, `/never?${place.name} began\n`);
        } else await client.echoes("open");
        ends.set(place, () => client.ended());
      }
    });
    await stop(started);
    await allEnd(ends);
    await allFinished(places, started);
  });
});

test(`attach(): shutdown() waits for who asks only after a while (${runtime})`, needs("openssl"), async () => {
  await withServers(["http", "https"], {}, async (places, started) => {
    const clients = await Promise.all(places.map(Client.open));
    await stop(started);
    // Longer than a handshake may take, and than a client may be silent of whom nothing is known.
    await sleep(700);
    for (const { socket } of clients) socket.write(getRequest("/late"));
    for (const [i, client] of clients.entries()) assert.match(await client.ended(), /Hello World$/, places[i].name);
    await allFinished(places, started);
  });
});

if (runtime === "Bun") console.log("skipped: streams of HTTP/2, of which Bun does not tell that they were reset");
test(
  `attach(): shutdown() ends streams and WebSockets after streamTimeout (${runtime})`,
  needs("openssl"),
  async () => {
    const kinds = ["http", "https", "ws", ...(runtime === "Bun" ? [] : ["http2", "h2c"] as const)] as const;
    await withServers(kinds, { streamTimeout: 300 }, async (places, started) => {
      const ends: Ends = new Map();
      await forEach(places, async (place) => {
        const { kind, target } = place;
        if (kind === "ws") {
          const client = await WebSocketClient.open(target, "/chat");
          await client.echoes("open");
          ends.set(place, async () => {
            await client.ended;
            assert.deepEqual(client.closed, { code: 1001, reason: "" }, place.name);
          });
        } else if (isHttp2(place)) {
          const client = await Http2Client.open(place);
          const stream = client.ask("/events");
          assert.ok(await eventually(() => stream.text().includes("data: 1")));
          ends.set(place, async () => {
            assert.equal(await stream.ended, "cut", place.name);
            await client.ended();
          });
        } else {
          const client = await Client.open(place);
          client.socket.write(getRequest("/events"));
          await client.gets("data: 1");
          ends.set(place, async () => assert.ok(!(await client.ended()).endsWith("\r\n0\r\n\r\n"), place.name));
        }
      });
      await stop(started);
      await allEnd(ends);
      await allFinished(places, started);
      const lines = started.stderr().match(/^fd3: stopping: .*$/gm)!.map((line) => line.replace(/ for .* s:/, ":"));
      assert.deepEqual(
        lines.sort(),
        [
          ...Array(2).fill("fd3: stopping: 1 WebSocket open: GET /chat"),
          ...Array(2 * (kinds.length - 1)).fill("fd3: stopping: 1 response open: GET /events"),
        ].sort(),
      );
      assert.equal(started.stderr().match(/a WebSocket was closed with 1001/g)?.length, 2, started.stderr());
      assert.doesNotMatch(started.stderr(), /a WebSocket failed/);
    });
  },
);

test(
  `close() of an attached server settles \`finished\`, and so does shutdown() behind it (${runtime})`,
  needs("openssl"),
  async () => {
    await withServers(all, {}, async (places, started) => {
      for (const { name } of places) started.child.stdin!.write(`close ${name}\n`);
      await allFinished(places, started);
    });
  },
);
