import assert from "node:assert/strict";
import { test } from "node:test";
import { activate, eventually } from "../fixtures/activate.ts";
import { lifeWays } from "../fixtures/lives.ts";
import { memfd } from "../fixtures/notify_socket.ts";
import { libc, runtime } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

test(`daemon() warns of descriptors that it was passed and does not take (${runtime})`, async () => {
  for (const variant of lifeWays("@nobody")) {
    using folder = tempFolder();
    using unix = holdUnix(`${folder.path}/s.sk`);
    using other = holdUnix(`${folder.path}/other.sk`);
    using tcp = holdTcp();
    const stored = memfd("what an earlier version stored");
    await using started = activate({
      variant,
      script: "test/fixtures/life.ts",
      args: ["serve", JSON.stringify({ name: "web" })],
      fds: [unix.fd, other.fd, tcp.fd, stored],
      names: "web:admin:tcp:counter",
    });
    libc().close(stored);
    assert.ok(await eventually(() => started.stderr().includes("passed and not used")), started.stderr());
    assert.equal(await started.terminate(), 0, started.stderr());
    const [, list] = /^fd3: (.*) were passed and not used, and clients /m.exec(started.stderr())!;
    const { port } = tcp.target as { port: number };
    const place = variant.ffi ? ` at 127.0.0.1 port ${port}` : "";
    // Deno has no other way to ask than libc.
    const kinds = runtime === "Deno" && !variant.ffi ? ["", "", ""] : [
      ` (a listening Unix stream socket at ${folder.path}/other.sk)`,
      ` (a listening IPv4 stream socket${place})`,
      " (not a socket)",
    ];
    assert.equal(list, `fd 4 "admin"${kinds[0]}, fd 5 "tcp"${kinds[1]}, fd 6 "counter"${kinds[2]}`, variant.name);
    assert.equal(started.stderr().split("passed and not used").length, 2, started.stderr());
  }
});
