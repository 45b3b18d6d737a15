import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { HttpConnections } from "../../runtimes/shared/http/connections.ts";
import type { NodeHttpServer } from "../../runtimes/shared/http/types.ts";
import { eventually } from "../fixtures/activate.ts";
import { countResponses, getRequest, openRaw } from "../fixtures/http_client.ts";
import { runtime } from "../fixtures/runtime.ts";

test(`end() waits for the answer to a request that came after the last look (${runtime})`, async () => {
  const server = createServer();
  const connections = new HttpConnections(server as unknown as NodeHttpServer);
  const asked: ServerResponse[] = [];
  server.on("request", (incoming, outgoing) => {
    connections.of(incoming as never).began(outgoing as never);
    asked.push(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const client = await openRaw({ host: "127.0.0.1", port });
    for (let count = 1; count <= 2; count++) {
      client.socket.write(getRequest("/"));
      assert.ok(await eventually(() => asked.length === count));
      if (count === 1) asked[0].end("first");
      assert.ok(await eventually(() => countResponses(client.text()) === 1));
    }
    connections.startClosing();
    connections.end();
    asked[1].end("second");
    assert.match(await client.ended, /second/);
  } finally {
    connections.destroy();
    server.close();
  }
});
