import assert from "node:assert/strict";
import { test } from "node:test";
import { Context } from "../../src/daemon/context.ts";
import type { DaemonHost } from "../../src/daemon/daemon_host.ts";
import type { Messages } from "../../src/daemon/messages.ts";
import { ListenerPart } from "../../src/daemon/part.ts";
import { PushListener } from "../../src/stream/listener.ts";
import type { Connection } from "../../src/types.ts";
import { FakeClock, settle } from "../fixtures/fake_clock.ts";
import { engineAddress } from "../fixtures/fake_engine.ts";
import { FakeServer } from "./fixtures/fake_life.ts";

function connection(): Connection & { readonly isClosed: boolean } {
  let end = () => {};
  const closed = new Promise<void>((resolve) => end = resolve);
  const fake = {
    closed,
    isClosed: false,
    close: () => {
      fake.isClosed = true;
      end();
      return Promise.resolve();
    },
  };
  return fake as unknown as Connection & { readonly isClosed: boolean };
}

function make(onEnd?: () => void): { listener: PushListener; part: ListenerPart; clock: FakeClock } {
  const fake = new FakeClock();
  const clock = { now: () => fake.now, after: (ms: number, callback: () => void) => fake.after(ms, callback) };
  const parts = { address: engineAddress, activated: true, name: "web", stop: () => {} };
  const listener = new PushListener(parts);
  return { listener, part: new ListenerPart(listener, clock, onEnd), clock: fake };
}

test("ListenerPart is the listener that it has", async () => {
  const { part } = make();
  const { address, activated, name } = part;
  assert.deepEqual({ address, activated, name }, { address: engineAddress, activated: true, name: "web" });
  await part[Symbol.asyncDispose]();
  for await (const one of part) assert.fail(`a connection of ${one.localAddress.transport}`);
});

test("ListenerPart counts connections from when they are accepted until they are closed", async () => {
  const { listener, part } = make();
  const [one, two] = [connection(), connection()];
  assert.equal(part.isBusy(), false);
  listener.push(one);
  listener.push(two);
  assert.equal(part.isBusy(), true);
  assert.equal(part.visits(), 0);
  const iterator = part[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value, one);
  assert.equal((await iterator.next()).value, two);
  assert.equal(part.visits(), 2);
  await one.close();
  await settle();
  assert.equal(part.isBusy(), true);
  await two.close();
  await settle();
  assert.equal(part.isBusy(), false);
});

test("ListenerPart.stop() gives what was accepted to who iterates, and waits for it", async () => {
  const { listener, part, clock } = make();
  const seen: Connection[] = [];
  const iterating = (async () => {
    for await (const one of part) seen.push(one);
  })();
  await settle();
  const late = connection();
  let isOver = false;
  listener.push(late);
  const stopped = part.stop().then(() => isOver = true);
  await settle();
  assert.deepEqual(seen, [late]);
  for (let i = 0; i < 20; i++) {
    clock.advance(10);
    await settle();
  }
  assert.equal(isOver, false);
  await late.close();
  for (let i = 0; i < 4; i++) {
    clock.advance(10);
    await settle();
  }
  assert.equal(isOver, true);
  await Promise.all([stopped, iterating]);
});

test("ListenerPart.cut() closes what is open, and what is asked for later", async () => {
  const { listener, part, clock } = make();
  const [one, two] = [connection(), connection()];
  listener.push(one);
  listener.push(two);
  const iterator = part[Symbol.asyncIterator]();
  await iterator.next();
  const stopped = part.stop();
  part.cut();
  clock.advance(10);
  await stopped;
  assert.equal(one.isClosed, true);
  assert.equal((await iterator.next()).value, two);
  assert.equal(two.isClosed, true);
  assert.equal((await iterator.next()).done, true);
});

test("ListenerPart tells that it has ended when it is closed and its last connection, too", async () => {
  let ended = 0;
  const { listener, part } = make(() => ended++);
  const one = connection();
  listener.push(one);
  await part[Symbol.asyncIterator]().next();
  await part.close();
  assert.equal(ended, 0);
  await one.close();
  await settle();
  assert.equal(ended, 1);
});

test("Context lets go of servers and listeners that have ended, and knows what they were", async () => {
  const servers: FakeServer[] = [];
  const log: string[] = [];
  const host = {
    prepare: () => undefined,
    serve: () => {
      const server = new FakeServer(log);
      servers.push(server);
      const { activated, finished } = server;
      return Promise.resolve({ server: { ...server.server, activated, finished }, traffic: {} });
    },
    listen: () => Promise.resolve(make().listener),
  } as unknown as DaemonHost;
  const messages = {} as Messages;
  const context = new Context({
    host,
    messages,
    times: { drainTimeout: 0, streamTimeout: 0 },
    onOpen: () => {},
    onEnd: () => {},
  });
  assert.equal(context.canComeBack, false);
  for (let i = 0; i < 20; i++) {
    await context.serve(() => new Response());
    await (await context.listen()).close();
    assert.equal(context.opened.length, 1);
    servers[i].end();
    await settle();
  }
  assert.deepEqual(context.opened, []);
  assert.equal(context.canComeBack, true);
});
