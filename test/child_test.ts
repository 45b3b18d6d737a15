import assert from "node:assert/strict";
import { test } from "node:test";
import { activate } from "./fixtures/activate.ts";
import { open, receive } from "./fixtures/client.ts";
import { everything, runtime, variants } from "./fixtures/runtime.ts";
import { holdTcp } from "./fixtures/sockets.ts";

const script = "test/fixtures/child.ts";

async function seenByChild(variant: typeof everything, options = "{}"): Promise<string> {
  using held = holdTcp();
  await using started = activate({ variant, script, args: [options], fds: [held.fd], names: "x" });
  const socket = await open(held.target);
  const seen = (await receive(socket)).toString();
  socket.destroy();
  assert.equal(await started.exited, 0, started.stderr());
  return seen;
}

test(`listenFds() keeps the variables and the descriptors from children (${runtime})`, async () => {
  const seen = await seenByChild(everything);
  assert.doesNotMatch(seen, /LISTEN_/);
  assert.doesNotMatch(seen, /socket:/);
});

test(`listenFds() leaves the variables to children with keepEnv (${runtime})`, async () => {
  const seen = await seenByChild(everything, '{"keepEnv":true}');
  assert.match(seen, /^LISTEN_FDS=1$/m);
  assert.match(seen, /^LISTEN_FDNAMES=x$/m);
});

test(`a Deno without FFI leaks descriptors to children, as documented (${runtime})`, async () => {
  const portable = variants.find((variant) => variant.name === "Deno without FFI");
  if (portable === undefined) return assert.notEqual(runtime, "Deno");
  const seen = await seenByChild({ ...portable, command: [...portable.command, "--allow-run"] });
  assert.doesNotMatch(seen, /LISTEN_/);
  assert.match(seen, /socket:/);
});
