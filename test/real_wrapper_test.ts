import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { activate } from "./fixtures/activate.ts";
import { projectFile, runtime, type Variant, variants } from "./fixtures/runtime.ts";
import { holdTcp, tempFolder } from "./fixtures/sockets.ts";

/** What people start a daemon with on this runtime, and what fd3 says of it. */
const wrappers: Record<typeof runtime, [command: string[], said: RegExp][]> = {
  Deno: [[[process.execPath, "task", "start"], /its parent, deno task; deno task starts a child: use deno run$/]],
  Bun: [[[process.execPath, "run", "start"], /its parent, bun run; bun run starts a child: use bun and the file$/]],
  Node: [
    [["npm", "start"], /its parent, npm; npm keeps the descriptors: let ExecStart= call the runtime itself$/],
    [[projectFile("node_modules/.bin/tsx")], /its parent, tsx; tsx starts a child: use node --import tsx$/],
  ],
};

test(`listen() names the wrapper that really stood in between (${runtime})`, async () => {
  const daemon = projectFile("test/fixtures/daemon.ts");
  using folder = tempFolder();
  const command = [...variants[0].command, daemon].join(" ");
  writeFileSync(`${folder.path}/package.json`, JSON.stringify({ scripts: { start: command } }));
  symlinkSync(projectFile("node_modules"), `${folder.path}/node_modules`);
  for (const [wrapper, said] of wrappers[runtime]) {
    using held = holdTcp();
    const variant: Variant = { name: wrapper.join(" "), command: wrapper, ffi: true };
    const before = `cd ${folder.path};`;
    await using started = activate({ variant, script: "test/fixtures/daemon.ts", fds: [held.fd], before });
    assert.notEqual(await started.exited, 0);
    const line = started.stderr().split("\n").find((text) => text.startsWith("Fd3Error")) ?? started.stderr();
    assert.match(line, /^Fd3Error ERR_FD3_NO_FDS: No file descriptors received: LISTEN_PID=\d+ is not this process/);
    assert.match(line, said);
  }
});
