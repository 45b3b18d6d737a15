import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { projectFile, runtime } from "../fixtures/runtime.ts";

const commands: Record<typeof runtime, [string, ...string[]]> = {
  Deno: [process.execPath, "task", "run", "example"],
  Bun: [process.execPath, "run", "--silent", "example"],
  Node: ["npm", "run", "--silent", "example"],
};

test(`the README's command for the example sends both lines back, on its own runtime (${runtime})`, () => {
  const [file, ...args] = commands[runtime];
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd: projectFile("."),
    input: "hello world\nagain\n",
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(stdout, "hello world\nagain\n", stderr);
  assert.equal(status, 0);
  assert.match(stderr, new RegExp(`runs on ${runtime} `));
});
