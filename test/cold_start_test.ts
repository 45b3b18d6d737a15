import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import { activate } from "./fixtures/activate.ts";
import { echoOnce } from "./fixtures/client.ts";
import { projectFile, runtime, variants } from "./fixtures/runtime.ts";
import { holdUnix, tempFolder } from "./fixtures/sockets.ts";
import { needs } from "./fixtures/tools.ts";

/** What a runtime may load on the way to an inherited socket. */
const allowed = { Deno: [], Bun: ["bun:ffi"], Node: ["node:ffi", "node:fs", "node:module", "node:net"] };

test(`an activated foobard loads nothing that it does not need (${runtime})`, async () => {
  using folder = tempFolder();
  using held = holdUnix(`${folder.path}/s.sk`);
  await using started = activate({ variant: variants[0], script: "test/fixtures/traps.ts", fds: [held.fd] });
  await echoOnce(held.target, "hello");
  assert.equal(await started.terminate(), 0, started.stderr());
  const loaded = [...started.stderr().matchAll(/^loaded: (.*)$/gm)].map(([, id]) => id);
  assert.deepEqual(loaded.filter((id) => !(allowed[runtime] as string[]).includes(id)), []);
  // The trap works: Bun and Node cannot do without any.
  if (runtime !== "Deno") assert.notEqual(loaded.length, 0);
});

test(`no file of src/ knows a runtime, and none of it loads one (${runtime})`, () => {
  const { stdout } = spawnSync("find", [projectFile("src"), "-name", "*.ts"], { encoding: "utf8" });
  const files = stdout.trim().split("\n");
  assert.ok(files.length > 15, stdout);
  for (const file of files) {
    const code = readFileSync(file, "utf8").replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
    assert.doesNotMatch(code, /from "(node|bun|npm|jsr):/, file);
    assert.doesNotMatch(code.replace(/"[^"\n]*"|`[^`]*`/g, ""), /\b(Deno|Bun|process|require)\s*[.(]/, file);
  }
});

test(`close() neither shuts an inherited socket down nor deletes its path (${runtime})`, needs("strace"), async () => {
  using folder = tempFolder();
  for (const variant of variants) {
    const path = `${folder.path}/s.sk`;
    using held = holdUnix(path);
    const log = `${folder.path}/log`;
    // -D makes strace the grandchild, so that LISTEN_PID stays true.
    const how = `exec strace -D -f -e trace=shutdown,unlink,unlinkat -o ${log} "$@"`;
    await using started = activate({
      variant,
      script: "test/fixtures/daemon.ts",
      args: ["silent"],
      fds: [held.fd],
      how,
    });
    await started.line();
    assert.equal(await started.terminate(), 0, started.stderr());
    const calls = readFileSync(log, "utf8");
    assert.match(calls, /exited with 0/);
    assert.doesNotMatch(calls, /shutdown\(/);
    assert.equal(calls.includes(path), false, calls);
    rmSync(path);
  }
});
