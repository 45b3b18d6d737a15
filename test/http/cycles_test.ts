import assert from "node:assert/strict";
import { test } from "node:test";
import { activate } from "../fixtures/activate.ts";
import { everything, runtime } from "../fixtures/runtime.ts";

const count = 40;
/** What an engine may still see on its stack, or hold for a connection to come. */
const most = 10;

const exposeGc: Readonly<Record<string, readonly string[]>> = {
  Deno: ["--v8-flags=--expose-gc"],
  Node: ["--expose-gc"],
  Bun: [],
};

test(`servers that were shut down and listeners that were closed are let go (${runtime})`, async () => {
  const [program, ...flags] = everything.command;
  const [first = "", ...rest] = flags;
  // Deno's come behind `run`.
  const command = runtime === "Deno"
    ? [program, first, ...exposeGc.Deno, ...rest]
    : [program, ...exposeGc[runtime], ...flags];
  await using started = activate({
    variant: { ...everything, command },
    script: "test/http/fixtures/cycles.ts",
    args: [String(count)],
  });
  assert.equal(await started.exited, 0, started.stderr());
  const lines = started.stdout().trim().split("\n").map((line) => line.split(" "));
  assert.deepEqual(lines.map(([kind]) => kind), ["serve", "listen", ...runtime === "Node" ? [] : ["serveNative"]]);
  for (const [kind, alive] of lines) assert.ok(Number(alive) <= most, `${alive} of ${count} with ${kind}`);
});
