import assert from "node:assert/strict";
import { appendFileSync, symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { activate, eventually, type Started } from "../fixtures/activate.ts";
import { everything, projectFile, runtime, type Variant, variants } from "../fixtures/runtime.ts";
import { holdTcp, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

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

/** What the first line is that fd3's error stands in. */
const errorLine = ({ stderr }: Started) => stderr().split("\n").find((text) => text.startsWith("Fd3Error"));

const tsx = runtime === "Node" ? ["--import", "tsx"] : [];
const direct: Variant = runtime === "Node" ? { ...everything, command: [process.execPath, ...tsx] } : everything;

test(`listen() names timeout(1), which stands in between (${runtime})`, needs("timeout", "coreutils"), async () => {
  using held = holdTcp();
  const variant: Variant = { ...direct, command: ["timeout", "60", ...direct.command] };
  await using started = activate({ variant, script: "test/fixtures/daemon.ts", fds: [held.fd] });
  assert.equal(await started.exited, 1);
  assert.match(errorLine(started) ?? started.stderr(), /its parent, timeout; .*RuntimeMaxSec=/);
});

test(`listen() tells a fork of the program, however it was started (${runtime})`, async () => {
  const forks = "test/activation/fixtures/forks.ts";
  for (const script of [forks, `./${forks}`, projectFile(forks)]) {
    using held = holdTcp();
    const variant: Variant = { ...direct, command: [...direct.command, script] };
    // In the folder of the project; the path that activate() adds is an argument, and stands behind.
    const before = `cd ${projectFile(".")};`;
    await using started = activate({ variant, script: forks, fds: [held.fd], before });
    assert.equal(await started.exited, 1, started.stderr());
    const said = /its parent, the same program; a fork or a worker of node:cluster gets none: call fd3 in the first/;
    assert.match(errorLine(started) ?? started.stderr(), said);
  }
});

/** Each watcher, and what becomes of the socket: lost from the start, or when the program changes. */
const watchers: Record<typeof runtime, { flags: string[]; first: RegExp; then?: RegExp }> = {
  Deno: {
    flags: ["--watch"],
    first: /^listening$/,
    then: /ERR_FD3_NO_FDS: .*; a watcher that has reloaded the program has lost them: start it without --watch$/,
  },
  Bun: {
    flags: ["--watch", "--no-clear-screen"],
    first: /^listening$/,
    then: /: Cannot (adopt fd 3 as a stream listener|use fd 3): /,
  },
  Node: { flags: ["--watch"], first: /its parent, a watcher; .*: start the runtime without --watch$/ },
};

test(`listen() says that a watcher has lost the socket (${runtime})`, async () => {
  const { flags, first, then } = watchers[runtime];
  using folder = tempFolder();
  using held = holdTcp();
  const program = `${folder.path}/watched.mts`;
  const lines = [
    `import { listen } from ${JSON.stringify(projectFile("mod.ts"))};`,
    'await listen().then(() => console.log("listening"), (error) => console.log(`${error.code}: ${error.message}`));',
    "setInterval(() => {}, 60_000);",
  ];
  writeFileSync(program, lines.join("\n"));
  const variant: Variant = { ...direct, command: [...direct.command, ...flags, program] };
  const started = activate({ variant, script: "test/fixtures/daemon.ts", fds: [held.fd] });
  const printed = (wanted: RegExp) => started.stdout().split("\n").some((line) => wanted.test(line));
  try {
    assert.ok(await eventually(() => printed(first)), started.stdout() + started.stderr());
    if (then === undefined) return;
    // A watcher that does not look yet misses a change: it sees a later one. Not one at each look, as each starts the program anew.
    for (let changes = 0; changes < 30 && !printed(then); changes++) {
      appendFileSync(program, "\n");
      await eventually(() => printed(then), 2000);
    }
    assert.ok(printed(then), started.stdout() + started.stderr());
  } finally {
    // Not SIGKILL, which would leave the watcher's child.
    await started.terminate();
  }
});
