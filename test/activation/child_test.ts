import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { activate } from "../fixtures/activate.ts";
import { open, receive } from "../fixtures/client.ts";
import { everything, runtime, variants } from "../fixtures/runtime.ts";
import { holdTcp } from "../fixtures/sockets.ts";

const script = "test/activation/fixtures/child.ts";

interface Seen {
  readonly output: string;
  /** Whether the child has the socket that was passed to its parent. */
  readonly hasSocket: boolean;
}

async function seenByChild(variant: typeof everything, options = "{}"): Promise<Seen> {
  using held = holdTcp();
  await using started = activate({ variant, script, args: [options], fds: [held.fd], names: "x" });
  const socket = await open(held.target);
  const seen = (await receive(socket)).toString();
  socket.destroy();
  assert.equal(await started.exited, 0, started.stderr());
  return { output: seen, hasSocket: seen.includes(readlinkSync(`/proc/self/fd/${held.fd}`)) };
}

test(`listenFds() keeps the variables and the descriptors from children (${runtime})`, async () => {
  const seen = await seenByChild(everything);
  assert.doesNotMatch(seen.output, /LISTEN_/);
  assert.equal(seen.hasSocket, false, seen.output);
});

test(`listenFds() leaves the variables to children with keepEnv (${runtime})`, async () => {
  const seen = await seenByChild(everything, '{"keepEnv":true}');
  assert.match(seen.output, /^LISTEN_FDS=1$/m);
  assert.match(seen.output, /^LISTEN_FDNAMES=x$/m);
});

test(`a Deno without FFI leaks descriptors to children, as documented (${runtime})`, async () => {
  const portable = variants.find((variant) => variant.name === "Deno without FFI");
  if (portable === undefined) return assert.notEqual(runtime, "Deno");
  // Starting a child wants the whole environment.
  const command = portable.command.map((argument) => argument.startsWith("--allow-env") ? "--allow-env" : argument);
  const seen = await seenByChild({ ...portable, command: [...command, "--allow-run"] });
  assert.doesNotMatch(seen.output, /LISTEN_/);
  assert.equal(seen.hasSocket, true, seen.output);
});
