import assert from "node:assert/strict";
import { test } from "node:test";
import { activate } from "./fixtures/activate.ts";
import { everything, runtime } from "./fixtures/runtime.ts";
import { holdTcp } from "./fixtures/sockets.ts";

async function saidInWorker(args: readonly string[], fds: readonly number[]): Promise<unknown> {
  await using started = activate({ variant: everything, script: "test/fixtures/in_worker.ts", args, fds });
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
