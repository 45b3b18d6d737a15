import assert from "node:assert/strict";
import { test } from "node:test";
import { activate } from "../fixtures/activate.ts";
import { everything, runtime, type Variant, variants } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

/** Deno's own ways fill the table of descriptors only with every permission. */
const ways: readonly Variant[] = runtime === "Deno"
  ? [everything, { name: "Deno without FFI", command: [...everything.command, "--deny-ffi"], ffi: false }]
  : variants;

/** How many must be free. */
const needed = 12;

async function check(variant: Variant, mode: string, held: Held | undefined, fallback?: string): Promise<void> {
  await using started = activate({
    variant,
    script: "test/activation/fixtures/scarce.ts",
    args: [mode, JSON.stringify({ fallback })],
    fds: held === undefined ? [] : [held.fd],
    before: "ulimit -n 128;",
  });
  assert.equal(await started.exited, 0, started.stderr() + started.stdout());
  const text = `Fd3Error EMFILE: Cannot ${mode}: too many open files; raise LimitNOFILE= (RLIMIT_NOFILE)`;
  const lines = Array.from({ length: needed }, (_, free) => `${free} ${text}`);
  assert.deepEqual(started.stdout().trim().split("\n"), [...lines, `${needed} works`]);
}

for (const variant of ways) {
  for (const mode of ["listen", "serve"]) {
    test(`${mode}() says that descriptors are lacking, whatever would fail, and then works (${variant.name})`, async () => {
      using folder = tempFolder();
      using tcp = holdTcp();
      using unix = holdUnix(`${folder.path}/s.sk`);
      for (const held of [tcp, unix]) await check(variant, mode, held);
      for (const fallback of ["127.0.0.1:0", `${folder.path}/f.sk`]) await check(variant, mode, undefined, fallback);
    });
  }
}
