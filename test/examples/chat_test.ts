import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { activate } from "../fixtures/activate.ts";
import { get } from "../fixtures/http.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { WebSocketClient } from "../fixtures/web_socket_client.ts";

const script = "examples/chat.ts";

test(`examples/chat.ts lets those in its room hear each other (${runtime})`, async () => {
  using held = holdTcp();
  await using started = activate({ variant: everything, script, fds: [held.fd] });
  const { target } = held;
  const page = await get(target);
  assert.match(page.head, /^content-type: text\/html; charset=utf-8\r?$/im);
  assert.match(page.body, /<title>Chat<\/title>/);
  const here = { headers: { Origin: "http://example" } };
  const ann = await WebSocketClient.open(target, "/chat?name=Ann", here);
  assert.equal(await ann.next(), "Ann comes in.");
  const bob = await WebSocketClient.open(target, "/chat?name=Bob%20%20", here);
  for (const client of [ann, bob]) assert.equal(await client.next(), "Bob comes in.");
  ann.send("Grüße, <b>Bob</b>");
  for (const client of [ann, bob]) assert.equal(await client.next(), "Ann: Grüße, <b>Bob</b>");
  bob.send("  ");
  bob.send("x".repeat(1001));
  await bob.ended;
  assert.deepEqual(bob.closed, { code: 1009, reason: "at most 1000 characters" });
  assert.equal(await ann.next(), "Bob leaves.");
  const nobody = await WebSocketClient.open(target, "/chat");
  assert.equal(await ann.next(), "somebody comes in.");
  nobody.socket.destroy();
  assert.equal(await ann.next(), "somebody leaves.");
  const foreign = await WebSocketClient.ask(target, "/chat?name=Eve", { headers: { Origin: "http://evil.example" } });
  assert.match(foreign.head, /^HTTP\/1\.1 403 /);
  assert.equal((await get(target, "/nothing")).status, 404);
  assert.equal((await get(target, "/chat")).status, 426);
  foreign.socket.destroy();
  await ann.close(1000);
  assert.equal(await started.terminate(), 0, started.stderr());
});

test(`examples/chat.ts stays while somebody is in the room, and goes then (${runtime})`, async () => {
  using folder = tempFolder();
  using held = holdUnix(`${folder.path}/c.sk`);
  await using started = activate({ variant: everything, script, fds: [held.fd], env: { IDLE_TIMEOUT: "200" } });
  const ann = await WebSocketClient.open(held.target, "/chat?name=Ann");
  assert.equal(await ann.next(), "Ann comes in.");
  await sleep(1000);
  ann.send("still here");
  assert.equal(await ann.next(), "Ann: still here");
  await ann.close(1000);
  assert.equal(await started.exited, 0, started.stderr());
});
