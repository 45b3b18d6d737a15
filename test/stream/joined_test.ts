import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../../src/stream/joined.ts";
import { BaseListener, PushListener } from "../../src/stream/listener.ts";
import type { Address, Connection, Listener } from "../../src/types.ts";

const addressOf = (port: number): Address => ({ transport: "tcp", hostname: "192.0.2.1", port });
const partsOf = (port: number) => ({ address: addressOf(port), activated: true, name: `n${port}`, stop: () => {} });

/** What waits for nothing but promises is done. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

function connection(name: string): Connection & { readonly isClosed: boolean; readonly id: string } {
  const fake = { id: name, isClosed: false, close: () => Promise.resolve(void (fake.isClosed = true)) };
  return fake as unknown as ReturnType<typeof connection>;
}

/** One that accepts when it is asked, as that of Deno does. */
class PullListener extends BaseListener {
  /** How often it was asked. */
  asked = 0;
  #give: ((connection: Connection | undefined) => void)[] = [];

  protected override next(): Promise<Connection | undefined> {
    this.asked++;
    return new Promise((resolve) => this.#give.push(resolve));
  }

  accept(connection?: Connection): void {
    this.#give.shift()!(connection);
  }
}

function pushing(): [PushListener, PushListener] {
  return [new PushListener(partsOf(1)), new PushListener(partsOf(2))];
}

/** Collects what a listener gives. */
function collect(listener: Listener): { readonly ids: string[]; readonly ended: Promise<void> } {
  const ids: string[] = [];
  const ended = (async () => {
    for await (const one of listener) ids.push((one as unknown as { id: string }).id);
  })();
  return { ids, ended };
}

test("joined() is one listener with all addresses", () => {
  const { address, addresses, activated, name } = joined(pushing());
  assert.deepEqual({ address, addresses, activated, name }, {
    address: addressOf(1),
    addresses: [addressOf(1), addressOf(2)],
    activated: true,
    name: "n1",
  });
});

test("joined() gives the connections of all, and ends when all have ended", async () => {
  const [one, two] = pushing();
  const listener = joined([one, two]);
  one.push(connection("a"));
  const { ids, ended } = collect(listener);
  await settle();
  two.push(connection("b"));
  one.push(connection("c"));
  await settle();
  assert.deepEqual(ids, ["a", "b", "c"]);
  one.push(connection("d"));
  two.push(connection("e"));
  await listener.close();
  await ended;
  assert.deepEqual(ids.slice(3).sort(), ["d", "e"]);
});

test("joined() goes on with the others where one ends by itself", async () => {
  const [one, two] = pushing();
  const listener = joined([one, two]);
  const { ids, ended } = collect(listener);
  await settle();
  await one.close();
  await settle();
  two.push(connection("b"));
  await settle();
  assert.deepEqual(ids, ["b"]);
  await two.close();
  await ended;
});

test("joined() asks each listener only while somebody waits, and loses nothing that comes meanwhile", async () => {
  const [one, two] = [new PullListener(partsOf(1)), new PullListener(partsOf(2))];
  const listener = joined([one, two]);
  const connections = listener[Symbol.asyncIterator]();
  await settle();
  assert.deepEqual([one.asked, two.asked], [0, 0]);
  const first = connections.next();
  await settle();
  assert.deepEqual([one.asked, two.asked], [1, 1]);
  one.accept(connection("a"));
  assert.equal((await first).value.id, "a");
  two.accept(connection("b"));
  await settle();
  assert.deepEqual([one.asked, two.asked], [1, 1]);
  assert.equal((listener as { waiting?: number }).waiting, 1);
  assert.equal((await connections.next()).value.id, "b");
  // What was accepted waits for whoever asks next.
  assert.deepEqual([one.asked, two.asked], [1, 1]);
  const third = connections.next();
  await settle();
  assert.deepEqual([one.asked, two.asked], [2, 2]);
  two.accept(connection("c"));
  assert.equal((await third).value.id, "c");
});

test("joined() closes what nobody asks for any more", async () => {
  const [push, pull] = [new PushListener(partsOf(1)), new PullListener(partsOf(2))];
  const listener = joined([push, pull]);
  const [first, queued, late] = ["first", "queued", "late"].map(connection);
  push.push(first);
  for await (const one of listener) {
    assert.equal(one, first);
    break;
  }
  push.push(queued);
  assert.equal((listener as { waiting?: number }).waiting, 1);
  await listener.close();
  pull.accept(late);
  await settle();
  assert.deepEqual([first.isClosed, queued.isClosed, late.isClosed], [false, true, true]);
  for await (const _ of listener) assert.fail("nothing comes");
});

test("joined() closes what nobody has ever asked for", async () => {
  const [one, two] = pushing();
  const listener = joined([one, two]);
  const queued = connection("a");
  two.push(queued);
  await listener[Symbol.asyncDispose]();
  assert.equal(queued.isClosed, true);
});
