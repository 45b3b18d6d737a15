import assert from "node:assert/strict";
import { test } from "node:test";
import { heard } from "../fixtures/activate.ts";
import { places, portOf } from "../fixtures/engines.ts";
import { ask } from "../fixtures/http_client.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { frame, WebSocketClient } from "../fixtures/web_socket_client.ts";
import { startWebSockets, withWebSockets } from "./fixtures/web_socket_server.ts";

for (const place of places) {
  test(`WebSocketHandlers.open() can send at once (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }) => {
      const client = await WebSocketClient.open(target, "/echo?greet");
      assert.equal(await client.next(), "welcome");
      client.socket.destroy();
    });
  });

  test(`WebSocketHandlers.close() tells how the client closed (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      const cases: [told: string, code?: number, reason?: string][] = [
        ['1000 "" first', 1000],
        ['3001 "bye" second', 3001, "bye"],
        ['4999 "Grüße" third', 4999, "Grüße"],
        ['1005 "" fourth'],
      ];
      for (const [told, code, reason] of cases) {
        const client = await WebSocketClient.open(target, "/echo");
        client.send(`remember ${told.split(" ").at(-1)}`);
        await client.echoes("still open");
        await client.close(code, reason);
        await heard(started, `close ${told}`);
      }
      const client = await WebSocketClient.open(target, "/echo");
      client.send("remember vanished");
      await client.echoes("still open");
      client.socket.destroy();
      await heard(started, 'close 1006 "" vanished');
      assert.equal(started.stderr().match(/^close/gm)?.length, cases.length + 1, started.stderr());
    });
  });

  test(`WebSocketPeer.close() tells the client a code and a reason (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      for (
        const [words, code, reason] of [["1000 done", 1000, "done"], ["4000 Grüße", 4000, "Grüße"], ["1008", 1008, ""]]
      ) {
        const client = await WebSocketClient.open(target, "/echo");
        client.send(`close ${words}`);
        await client.ended;
        assert.deepEqual(client.closed, { code, reason });
        await heard(started, `close ${code} ${JSON.stringify(reason)}`);
      }
      const client = await WebSocketClient.open(target, "/echo");
      for (const words of ["1005", "999", "1000 " + "x".repeat(124)]) client.send(`close ${words}`);
      await heard(started, "Cannot close the WebSocket: code is 1005, not one that can be sent");
      await heard(started, "Cannot close the WebSocket: reason has 124 bytes, more than 123");
      await client.echoes("still open");
      client.send("close");
      await client.ended;
      assert.deepEqual(client.closed, { code: 1000, reason: "" });
    });
  });

  test(`WebSocketPeer.terminate() cuts the client off (${place.name})`, async () => {
    await withWebSockets(place, {}, async (held, started) => {
      const client = await WebSocketClient.open(held.target, "/echo");
      const other = await WebSocketClient.open(held.target, "/echo");
      client.send("terminate");
      await client.ended;
      // Deno.serve() tells nothing of the connections of a Unix socket.
      const isCut = place.engine !== "deno-serve" || portOf(held) !== undefined;
      if (isCut) assert.equal(client.closed, undefined);
      await heard(started, isCut ? "close 1006" : "close ");
      await other.echoes("still open");
      other.socket.destroy();
    });
  });

  test(`WebSocketPeer.publish() reaches all others that are subscribed (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }) => {
      // The paths of their requests make no difference.
      const paths = ["/echo", "/echo", "/later", "/echo?other", "/echo"];
      const [sender, one, two, gone, stranger] = await Promise.all(
        paths.map((path) => WebSocketClient.open(target, path)),
      );
      for (const client of [sender, one, two, gone]) {
        client.send("subscribe news");
        assert.equal(await client.next(), "subscribed news");
      }
      gone.send("unsubscribe news");
      assert.equal(await gone.next(), "unsubscribed news");
      sender.send("publish news hello");
      sender.send("publish others hello");
      for (const client of [one, two]) assert.equal(await client.next(), "hello");
      one.socket.destroy();
      two.send("publish news again");
      assert.equal(await sender.next(), "again");
      for (const client of [sender, two, gone, stranger]) {
        await client.echoes("nothing else came");
        client.socket.destroy();
      }
    });
  });

  test(`WebSocketPeer.publish() reaches those on the other sockets of the server (${place.name})`, async () => {
    using folder = tempFolder();
    using tcp = holdTcp();
    using unix = holdUnix(`${folder.path}/s.sk`);
    await using started = await startWebSockets(place, [tcp, unix], { all: true });
    const clients = await Promise.all([tcp, unix].map(({ target }) => WebSocketClient.open(target, "/echo")));
    for (const client of clients) {
      client.send("subscribe news");
      assert.equal(await client.next(), "subscribed news");
    }
    for (const [i, client] of clients.entries()) {
      client.send(`publish news from-${i}`);
      assert.equal(await clients[1 - i].next(), `from-${i}`);
    }
    for (const client of clients) client.socket.destroy();
    assert.equal(await started.terminate(), 0, started.stderr());
  });

  test(`WebSocketHandlers.error() takes what fails, and the WebSocket stays open (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      const client = await WebSocketClient.open(target, "/echo");
      for (const word of ["throw", "reject"]) client.send(word);
      await client.echoes("still open");
      for (const text of ["error thrown by message", "error rejected by message"]) await heard(started, text);
      client.socket.write(frame(3, "no opcode"));
      await client.ended;
      await heard(started, "close 1006");
      const count = started.stderr().match(/^error/gm)?.length;
      assert.equal(count, place.engine === "bun-serve" ? 2 : 3, started.stderr());
    });
  });

  test(`serve() reports what a handler of WebSockets throws (${place.name})`, async () => {
    await withWebSockets(place, { websocket: ["message"] }, async ({ target }, started) => {
      const client = await WebSocketClient.open(target, "/echo");
      for (const word of ["throw", "reject"]) client.send(word);
      await client.echoes("still open");
      for (const text of ["thrown by message", "rejected by message"]) await heard(started, text);
      const before = started.stderr();
      client.socket.write(frame(3, "no opcode"));
      await client.ended;
      // The client's fault is no matter of the log.
      assert.equal(await ask(target), "200 Hello World");
      assert.equal(started.stderr(), before);
    });
  });

  test(`info.upgrade() refuses where serve() has no option websocket (${place.name})`, async () => {
    await withWebSockets(place, { websocket: null }, async ({ target }, started) => {
      const client = await WebSocketClient.ask(target, "/echo");
      assert.match(client.head, /^HTTP\/1\.1 500 /);
      const text = "TypeError: Cannot upgrade the connection: serve() was called without the option websocket";
      await heard(started, text);
      client.socket.destroy();
    });
  });
}
