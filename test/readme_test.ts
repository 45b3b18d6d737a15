import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { activate } from "./fixtures/activate.ts";
import { echoOnce } from "./fixtures/client.ts";
import { everything, projectFile, runtime } from "./fixtures/runtime.ts";
import { holdUnix, tempFolder } from "./fixtures/sockets.ts";

const readme = readFileSync(projectFile("README.md"), "utf8");

test(`the daemon of the README echoes on an inherited socket, and ends on SIGTERM (${runtime})`, async () => {
  const [, code] = /```ts\n(\/\/ echo\.ts\n[^]*?)```/.exec(readme) ?? [];
  assert.ok(code !== undefined, "there is no echo.ts in README.md");
  // In the project's folder, where a runtime finds its configuration; `fd3` is its name on npm.
  const script = `test/readme_${runtime.toLowerCase()}_${process.version}.tmp.ts`;
  writeFileSync(projectFile(script), code.replace('from "fd3"', 'from "../mod.ts"'));
  try {
    using folder = tempFolder();
    using held = holdUnix(`${folder.path}/s.sk`);
    await using started = activate({ variant: everything, script, fds: [held.fd] });
    await echoOnce(held.target, "hello");
    assert.equal(await started.terminate(), 0, started.stderr());
  } finally {
    rmSync(projectFile(script));
  }
});
