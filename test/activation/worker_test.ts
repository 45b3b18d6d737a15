import assert from "node:assert/strict";
import { test } from "node:test";
import { activate, type ActivateOptions } from "../fixtures/activate.ts";
import { everything, runtime, variants } from "../fixtures/runtime.ts";
import { holdTcp, tempFolder } from "../fixtures/sockets.ts";

async function saidInWorker(
  args: readonly string[],
  fds: readonly number[],
  { variant = everything, env = {} }: Partial<ActivateOptions> = {},
): Promise<unknown> {
  await using started = activate({ variant, script: "test/activation/fixtures/in_worker.ts", args, fds, env });
  return JSON.parse(await started.line());
}

test(`a worker is refused descriptors, which belong to the whole process (${runtime})`, async () => {
  using held = holdTcp();
  const why = "Cannot use descriptors in a worker: fd 3 belongs to the whole process; call fd3 in the main thread";
  assert.deepEqual(await saidInWorker([], [held.fd]), { said: `Fd3Error ERR_FD3_PLATFORM: ${why}` });
});

test(`what a worker is refused is there for the main thread afterwards (${runtime})`, async () => {
  using held = holdTcp();
  const { fds, said } = await saidInWorker(["last"], [held.fd]) as { fds: unknown; said: string };
  assert.match(said, /^Fd3Error ERR_FD3_PLATFORM: /);
  assert.deepEqual(fds, [{ fd: 3, name: "unknown" }]);
});

test(`a worker that sees no descriptors opens its fallback (${runtime})`, async () => {
  assert.deepEqual(await saidInWorker([], []), { said: { activated: false } });
  using held = holdTcp();
  const fds = [{ fd: 3, name: "unknown" }];
  assert.deepEqual(await saidInWorker(["first"], [held.fd]), { fds, said: { activated: false } });
});

test(`a worker's fallback has its mode, with libc and without (${runtime})`, async () => {
  // On Deno each permission would be one more to name.
  for (const variant of runtime === "Deno" ? [everything] : variants) {
    using folder = tempFolder();
    const env = { FALLBACK: `${folder.path}/s.sk` };
    assert.deepEqual(
      await saidInWorker([], [], { variant, env }),
      { said: { activated: false, mode: 0o600 } },
      variant.name,
    );
  }
});
