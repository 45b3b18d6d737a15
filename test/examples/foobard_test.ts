import assert from "node:assert/strict";
import { test } from "node:test";
import { activate, eventually } from "../fixtures/activate.ts";
import { echoes, echoOnce, open } from "../fixtures/client.ts";
import { listeningSockets } from "../fixtures/listening.ts";
import { variants } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";

const foobard = "examples/foobard.ts";

for (const variant of variants) {
  test(`foobard gives its connections 5 s after SIGTERM, and leaves new ones to the next instance (${variant.name})`, async () => {
    using folder = tempFolder();
    const path = `${folder.path}/foobar.sk`;
    using held = holdUnix(path);
    await using started = activate({ variant, script: foobard, fds: [held.fd] });
    const socket = await open(held.target);
    await echoes(socket, "before");
    const begin = Date.now();
    const ended = started.terminate();
    assert.ok(await eventually(() => !listeningSockets(started.pid).includes(path)));
    const late = await open(held.target);
    late.write("late");
    await echoes(socket, "during");
    assert.equal(await ended, 0, started.stderr());
    const took = Date.now() - begin;
    assert.ok(took > 4000 && took < 8000, `it took ${took} ms`);
    socket.destroy();
    await using next = activate({ variant, script: foobard, fds: [held.fd] });
    late.write("r");
    const answer = await new Promise((resolve) => late.once("data", (data) => resolve(String(data))));
    assert.match(String(answer), /^later?$/);
    late.destroy();
    assert.equal(await next.terminate(), 0, next.stderr());
  });

  test(`activated_only serves a socket, and starts neither without one nor with two (${variant.name})`, async () => {
    const script = "examples/activated_only.ts";
    using folder = tempFolder();
    using held = holdUnix(`${folder.path}/a.sk`);
    using other = holdUnix(`${folder.path}/b.sk`);
    await using started = activate({ variant, script, fds: [held.fd] });
    await echoOnce(held.target, "hello");
    assert.equal(await started.terminate(), 0, started.stderr());
    for (const [fds, said] of [[[], "No file"], [[held.fd, other.fd], "Too many file"]] as const) {
      await using refused = activate({ variant, script, fds });
      assert.equal(await refused.exited, 1);
      assert.ok(refused.stderr().startsWith(`${said} descriptors received`), refused.stderr());
    }
  });
}
