// That serve() has no limit where its engines have one: Bun's 255 s for all of a request, Node's 300 s for an upload and 60 s for its headers
// to come. It takes as long, and so stands among the tests that wait; of systemd it needs nothing.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { activate } from "../fixtures/activate.ts";
import { ask, openRaw } from "../fixtures/http_client.ts";
import { holdTcp } from "../fixtures/sockets.ts";

/** Longer than each of those, and than Node takes to notice its own. */
const longMs = 335_000;
const byteMs = 2000;

const project = fileURLToPath(new URL("../..", import.meta.url));
const deno = [`${project}node_modules/.bin/deno`, "run", "-q", "--allow-env", "--allow-ffi", "--allow-net"];
const bun = [`${project}node_modules/.bin/bun`];
const launcher = `${project}test/fixtures/launch.js`;
const nodeOf = (major: number) => {
  const path = `${project}test/runtimes/node_modules/node${major}/bin/node`;
  return major < 24 ? [path, launcher] : [path];
};

const engines = [
  ["Deno", deno, "deno-serve"],
  ["Deno", deno, "node-http"],
  ["Bun", bun, "bun-serve"],
  ["Bun", bun, "node-http"],
  ...[20, 22, 24, 26].map((major) => [`Node ${major}`, nodeOf(major), "node-http"] as const),
] as const;

/** Sends a body byte by byte, and gives the answer. */
async function upload(target: object): Promise<string> {
  const client = await openRaw(target);
  const length = Math.floor(longMs / byteMs);
  client.socket.write(
    `POST /count HTTP/1.1\r\nHost: example\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`,
  );
  for (let i = 0; i < length; i++) {
    await sleep(byteMs);
    client.socket.write("x");
  }
  assert.match(await client.ended, new RegExp(`^HTTP/1.1 200 [^]*${length}`));
  return "uploaded";
}

suite("serve() waits for what takes long", { concurrency: true, timeout: longMs + 60_000 }, () => {
  for (const [name, command, engine] of engines) {
    test(`${engine} on ${name}`, async () => {
      using held = holdTcp();
      await using started = activate({
        variant: { name, command, ffi: true },
        script: "test/fixtures/http_daemon.ts",
        args: [JSON.stringify({ engine })],
        fds: [held.fd],
        mostMs: longMs + 60_000,
      });
      await started.line();
      const answers = await Promise.all([
        ask(held.target, { path: `/slow?${longMs}` }),
        ask(held.target, { path: `/pause?${longMs}` }),
        upload(held.target),
      ]);
      assert.deepEqual(answers, ["200 slow and whole", "200 begin end", "uploaded"]);
      assert.equal(await started.terminate(), 0, started.stderr());
    });
  }
});
