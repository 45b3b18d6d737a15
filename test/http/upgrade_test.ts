// What serve() makes of a client that wants another protocol (RFC 9110, 7.8).
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { eventually } from "../fixtures/activate.ts";
import { places, withServer } from "../fixtures/engines.ts";
import { ask, countResponses, getRequest, openRaw } from "../fixtures/http_client.ts";
import { runtime } from "../fixtures/runtime.ts";

const upgrade = "Connection: Upgrade\r\nUpgrade: ";
const webSocket = `${upgrade}websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;

/** A frame of a client, masked with zeros: a text, or the end (RFC 6455, 5.2). */
const frame = (opcode: number, payload: string) =>
  Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0, ...Buffer.from(payload)]);

for (const place of places) {
  test(`serve() answers a request that asks for a protocol nobody speaks (${place.name})`, async () => {
    await withServer(place, {}, async (held) => {
      const client = await openRaw(held.target);
      for (const count of [1, 2]) {
        client.socket.write(getRequest("/", `${upgrade}foo\r\n`));
        assert.ok(await eventually(() => countResponses(client.text()) === count), client.text());
      }
      client.socket.destroy();
    });
  });

  if (runtime !== "Deno") continue;

  test(`Deno.upgradeWebSocket() opens a WebSocket, or is refused (${place.name})`, async () => {
    await withServer(place, {}, async (held, started) => {
      const client = await openRaw(held.target);
      client.socket.write(getRequest("/ws?a=b", webSocket));
      assert.ok(await eventually(() => client.text().includes("\r\n\r\n")), client.text());
      if (place.engine === "node-http") {
        assert.match(client.text(), /^HTTP\/1.1 501 Not Implemented\r\n/);
        const why = "the engine is node-http, and Deno.upgradeWebSocket() needs deno-serve";
        assert.ok(started.stderr().includes(`Cannot upgrade the connection: ${why}`), started.stderr());
        client.socket.destroy();
      } else {
        assert.match(client.text(), /^HTTP\/1.1 101 /);
        client.socket.write(frame(1, "over the wire"));
        assert.ok(await eventually(() => client.text().endsWith("over the wire")), client.text());
        client.socket.write(frame(8, ""));
        assert.ok(await eventually(() => started.stderr().includes("closed http://example/ws?a=b")), started.stderr());
        await client.ended;
      }
      assert.equal(await ask(held.target), "200 Hello World");
      assert.equal(await started.terminate(), 0, started.stderr());
    });
  });
}
