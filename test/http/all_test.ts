import assert from "node:assert/strict";
import { test } from "node:test";
import { activate } from "../fixtures/activate.ts";
import { answerFrom } from "../fixtures/client.ts";
import { ask, openRaw } from "../fixtures/http_client.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

/** Starts a server on a TCP socket and a Unix socket, which have two names. */
async function onBoth(
  way: string,
  check: (targets: readonly object[], addresses: unknown, stop: () => Promise<number | string>) => Promise<void>,
): Promise<void> {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  const fds = [tcp.fd, unix.fd];
  await using started = activate({
    variant: everything,
    script: "test/http/fixtures/all.ts",
    args: [way],
    fds,
    names: "web:local",
  });
  const addresses = JSON.parse(await started.line());
  if (addresses !== null) {
    assert.deepEqual(addresses, [
      { transport: "tcp", hostname: "127.0.0.1", port: tcp.port },
      { transport: "unix", path: `${folder.path}/s.sk` },
    ]);
  }
  await check([tcp.target, unix.target], addresses, () => started.terminate());
  assert.equal(started.stderr(), "");
}

for (const way of ["serve", "attach", ...(runtime === "Node" ? [] : ["native"])]) {
  test(`${way}() with all serves every inherited socket, and drains them together (${runtime})`, async () => {
    await onBoth(way, async (targets, _addresses, stop) => {
      const answers = { serve: ["serve", "serve"], attach: ["attach", "attach"], native: ["native", "native"] }[way]!;
      if (runtime === "Bun" && way === "native") answers[1] = "unix";
      for (let round = 0; round < 3; round++) {
        for (const [i, target] of targets.entries()) {
          assert.equal(await ask(target, { path: "/" }), `200 ${answers[i]}`);
        }
      }
      // On each, one that was accepted before the stop and sends its request after it.
      const late = await Promise.all(targets.map((target) => openRaw(target)));
      for (const target of targets) await ask(target, { path: "/" });
      const ended = stop();
      for (const { socket } of late) socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      for (const { ended } of late) assert.match(await ended, /^HTTP\/1\.1 200 /);
      assert.equal(await ended, 0);
    });
  });
}

test(`listen() with all accepts on every inherited socket (${runtime})`, async () => {
  await onBoth("listen", async (targets, _addresses, stop) => {
    for (const target of [...targets, ...targets]) assert.equal(await answerFrom(target), "listen");
    assert.equal(await stop(), 0);
  });
});
