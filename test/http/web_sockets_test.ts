import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { activate, eventually, heard } from "../fixtures/activate.ts";
import { places, portOf } from "../fixtures/engines.ts";
import { ask, openRaw } from "../fixtures/http_client.ts";
import { runtime } from "../fixtures/runtime.ts";
import { holdTcp } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";
import { handshake, WebSocketClient } from "../fixtures/web_socket_client.ts";
import { script, secureEngines, withSecureWebSockets, withWebSockets } from "./fixtures/web_socket_server.ts";

const MiB = 1024 * 1024;

for (const place of places) {
  test(`info.upgrade() makes a WebSocket that takes texts and bytes (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      for (const path of ["/echo", "/later"]) {
        const client = await WebSocketClient.open(target, path);
        for (const length of [0, 1, 125, 126, 65535, 65536, MiB]) {
          await client.echoes("x".repeat(length));
          await client.echoes(Buffer.alloc(length, 7));
        }
        await client.echoes("Grüße, 世界");
        client.send("json {}");
        assert.equal(await client.next(), "7");
        await client.close(1000);
      }
      await heard(started, 'close 1000 ""');
      assert.equal(await ask(target), "200 Hello World");
    });
  });

  test(`a message of a WebSocket may have 16 MiB (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      const client = await WebSocketClient.open(target, "/echo");
      const longest = "x".repeat(16 * MiB);
      await client.echoes(longest);
      if (place.engine !== "deno-serve") {
        client.send(`${longest}x`);
        await client.ended;
        await heard(started, "close ");
      }
      client.socket.destroy();
    });
  });

  test(`info.upgrade() takes headers, a protocol and a context (${place.name})`, async () => {
    await withWebSockets(place, {}, async (held, started) => {
      const { target } = held;
      const offers = { "Sec-WebSocket-Protocol": "a, b" };
      const client = await WebSocketClient.open(target, "/protocol?q=1", { headers: offers });
      assert.match(client.head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=(\r\n|$)/i);
      assert.equal(client.head.match(/^sec-websocket-protocol: b$/gim)?.length, 1, client.head);
      if (place.engine === "deno-serve") {
        await heard(started, "leaves out of the response to an upgrade: set-cookie, x-added");
      } else {
        assert.match(client.head, /^set-cookie: a=b$/im);
        assert.match(client.head, /^x-added: after 101$/im);
      }
      client.send("about");
      const { remoteAddress, ...about } = JSON.parse(String(await client.next()));
      const url = "http://example/protocol?q=1";
      assert.deepEqual(about, { isId: true, url, host: "example", context: { user: "one" }, bufferedAmount: 0 });
      const { localPort: port } = client.socket;
      const isUnix = portOf(held) === undefined;
      const expected = isUnix ? { transport: "unix", path: "" } : { transport: "tcp", hostname: "127.0.0.1", port };
      assert.deepEqual(remoteAddress, expected);
      client.socket.destroy();
    });
  });

  test(`info.upgrade() answers what is no handshake (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      assert.equal(await ask(target, { path: "/echo" }), "426 Upgrade Required");
      assert.equal(await ask(target, { path: "/echo", method: "POST", body: "x" }), "426 Upgrade Required");
      const wrong: [status: number, headers: Record<string, string>][] = [
        [426, { "Sec-WebSocket-Version": "12" }],
        [426, { "Upgrade": "h2c" }],
        [400, { "Sec-WebSocket-Key": "short" }],
        [400, { "Sec-WebSocket-Key": "" }],
        [500, { "Sec-WebSocket-Protocol": "a" }],
      ];
      for (const [status, headers] of wrong) {
        const path = status === 500 ? "/other-protocol" : "/echo";
        const client = await WebSocketClient.ask(target, path, { headers });
        assert.match(client.head, new RegExp(`^HTTP/1.1 ${status} `), JSON.stringify(headers));
        if (status === 426) assert.match(client.head, /^sec-websocket-version: 13$/im);
        client.socket.destroy();
      }
      await heard(started, 'Cannot upgrade the connection: the client does not offer the protocol "c"');
    });
  });

  test(`serve() answers a request for a WebSocket like any other (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      const cases = [
        ["/denied", "401", "no entry"],
        ["/dropped", "403", "no upgrade after all"],
        ["/throw", "500", "Internal Server Error"],
        ["/nowhere", "404", "not found"],
        ["/origin", "403", "foreign"],
      ];
      for (const [path, status, body] of cases) {
        const client = await WebSocketClient.ask(target, path, { headers: { Origin: "https://bad.example" } });
        assert.match(client.head, new RegExp(`^HTTP/1.1 ${status} `), path);
        assert.ok(await eventually(() => client.body.includes(body)), client.body);
        if (status === "401") assert.match(client.head, /^www-authenticate: Basic$/im);
        client.socket.destroy();
      }
      await heard(started, "thrown by the handler");
      const good = await WebSocketClient.open(target, "/origin", { headers: { Origin: "https://good.example" } });
      await good.echoes("from a good page");
      good.socket.destroy();
    });
  });

  test(`serve() aborts request.signal when a client goes away that asked for a WebSocket (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      const client = await openRaw(target);
      client.socket.write(handshake("/hang"));
      await heard(started, "hang began");
      client.socket.destroy();
      await heard(started, "hang aborted");
    });
  });

  test(`serve() with WebSockets answers requests for other protocols as plain ones (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }) => {
      const body = "x".repeat(place.engine === "deno-serve" ? 1 : 200_000);
      for (const connection of ["Upgrade", "keep-alive, Upgrade, HTTP2-Settings"]) {
        const headers = { connection, upgrade: "h2c", "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA" };
        assert.equal(await ask(target, { path: "/", headers }), "200 Hello World");
        // Deno.serve() itself refuses a body there.
        const posted = place.engine === "deno-serve" ? "400 " : "200 200000 h2c";
        assert.equal(await ask(target, { path: "/body", method: "POST", body, headers }), posted);
      }
      const both = await WebSocketClient.open(target, "/echo", { headers: { Upgrade: "h2c, WebSocket" } });
      await both.echoes("one of two");
      both.socket.destroy();
    });
  });

  test(`info.upgrade() gives a response for one request (${place.name})`, async () => {
    await withWebSockets(place, {}, async ({ target }, started) => {
      const first = await WebSocketClient.open(target, "/kept");
      await first.echoes("first");
      assert.equal(await ask(target, { path: "/kept" }), "500 Internal Server Error");
      await first.close(1000);
      await heard(started, "Cannot upgrade the connection: the response was returned for another request");
    });
  });
}

for (const engine of secureEngines) {
  test(`info.upgrade() works by TLS (${engine} on ${runtime})`, needs("openssl"), async () => {
    await withSecureWebSockets(engine, async ({ target }, started) => {
      const client = await WebSocketClient.open(target, "/echo", { secure: true });
      await client.echoes("x".repeat(MiB));
      await client.echoes(Buffer.alloc(MiB, 7));
      client.send("about");
      assert.equal(JSON.parse(String(await client.next())).url, "https://example/echo");
      await client.close(3001, "bye");
      await heard(started, 'close 3001 "bye"');
      const denied = await WebSocketClient.ask(target, "/denied", { secure: true });
      assert.match(denied.head, /^HTTP\/1\.1 401 /);
      denied.socket.destroy();
      const headers = { connection: "Upgrade", upgrade: "h2c" };
      const asked = {
        path: "/body",
        method: "POST",
        body: "x".repeat(engine === "deno-serve" ? 1 : 100_000),
        headers,
        secure: true,
      };
      assert.equal(await ask(target, asked), engine === "deno-serve" ? "400 " : "200 100000 h2c");
    });
  });
}

test("serve() says what ws needs on Deno", async () => {
  if (runtime !== "Deno") return console.log(`not here: ${runtime} has no permissions for variables`);
  const [place] = places.filter(({ engine }) => engine === "node-http");
  using held = holdTcp();
  const args = [JSON.stringify({ engine: place.engine })];
  await using started = activate({ variant: place.variant, script, args, fds: [held.fd] });
  assert.equal(await started.exited, 1);
  const text = "Cannot serve WebSockets with node-http: the package crossws cannot be loaded: ";
  assert.ok(started.stderr().startsWith(`Fd3Error ERR_FD3_PLATFORM: ${text}`), started.stderr());
  assert.ok(started.stderr().includes("WS_NO_BUFFER_UTIL"), started.stderr());
});
