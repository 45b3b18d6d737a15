import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { activate, eventually, type Started } from "../fixtures/activate.ts";
import { echoOnce } from "../fixtures/client.ts";
import { ask } from "../fixtures/http_client.ts";
import { everything, projectFile, runtime } from "../fixtures/runtime.ts";
import { type Held, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { WebSocketClient } from "../fixtures/web_socket_client.ts";

const readme = readFileSync(projectFile("README.md"), "utf8");

/** What a client sees of each program of the README. */
const programs: Record<string, (held: Held, started: Started) => Promise<void>> = {
  "echo.ts": (held) => echoOnce(held.target, "hello"),
  async "web.ts"(held) {
    assert.equal(await ask(held.target, { path: "/there" }), "200 Hello from /there\n");
  },
  async "room.ts"({ target }) {
    assert.equal(await ask(target), "200 hello\n");
    const [one, two] = [await WebSocketClient.open(target, "/room"), await WebSocketClient.open(target, "/room")];
    // A client may see that it is open before the server has told its handler.
    const hears = () => {
      one.send("hello from one");
      return two.messages.length > 0;
    };
    assert.ok(await eventually(hears));
    assert.equal(await two.next(), "hello from one");
    for (const client of [one, two]) await client.close(1000);
  },
  async "service.ts"(held, started) {
    assert.equal(await ask(held.target), "200 Hello World\n");
    process.kill(started.pid, "SIGHUP");
    while (await ask(held.target) !== "200 Hello again\n");
  },
};

for (const [name, check] of Object.entries(programs)) {
  test(`${name} of the README serves an inherited socket, and ends on SIGTERM (${runtime})`, async () => {
    const [, code] = readme.split("```ts\n").map((part) => part.split("```")[0])
      .map((part) => [part.startsWith(`// ${name}\n`), part] as const).find(([is]) => is) ?? [];
    assert.ok(code !== undefined, `there is no ${name} in README.md`);
    // In the project's folder, where a runtime finds its configuration; `fd3` is its name on npm.
    const script = `test/examples/readme_${runtime.toLowerCase()}_${process.version}_${name.replace(".ts", ".tmp.ts")}`;
    writeFileSync(projectFile(script), code.replace('from "fd3"', 'from "../../mod.ts"'));
    try {
      using folder = tempFolder();
      using held = holdUnix(`${folder.path}/s.sk`);
      await using started = activate({ variant: everything, script, fds: [held.fd] });
      await check(held, started);
      assert.equal(await started.terminate(), 0, started.stderr());
    } finally {
      rmSync(projectFile(script));
    }
  });
}
