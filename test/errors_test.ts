import assert from "node:assert/strict";
import { readFileSync, symlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { test } from "node:test";
import { activate } from "./fixtures/activate.ts";
import { open } from "./fixtures/client.ts";
import type { Passed, Row } from "./fixtures/error_row.ts";
import { errorRows } from "./fixtures/error_rows.ts";
import { everything, projectFile, runtime } from "./fixtures/runtime.ts";
import { type Held, tempFolder } from "./fixtures/sockets.ts";

async function provoke(row: Row, folder: string, passed: readonly Passed[]): Promise<string> {
  const { mode = "listen", options = {}, start, peer } = row;
  await using started = activate({
    variant: everything,
    script: "test/fixtures/provoke.ts",
    args: [mode, JSON.stringify(options).replaceAll("FOLDER", folder)],
    // spawn() takes "ignore" in the place of a descriptor.
    fds: passed.map(({ fd }) => fd as number),
    env: { FD3_TEST_FOLDER: folder },
    ...start,
  });
  let socket: Socket | undefined;
  if (peer !== undefined) {
    socket = await open((passed[0] as Held).target);
    socket.on("error", () => {});
    // Deno does not hand out a connection that was reset before it was accepted.
    assert.equal(await started.line(), "accepted");
    peer(socket);
  }
  assert.equal(await started.exited, 0, started.stderr());
  socket?.destroy();
  return started.stderr().trim().replaceAll(folder, "FOLDER");
}

for (const row of errorRows) {
  test(`${row.code} where ${row.when} (${runtime})`, async () => {
    using folder = tempFolder();
    symlinkSync("loop", `${folder.path}/loop`);
    const passed = row.fds?.(folder.path) ?? [];
    try {
      const text = await provoke(row, folder.path, passed);
      const head = `Fd3Error ${row.code}: `;
      assert.ok(text.startsWith(head), text);
      if (typeof row.text === "string") assert.equal(text.slice(head.length), row.text);
      else assert.match(text.slice(head.length), row.text);
    } finally {
      for (const held of passed) held[Symbol.dispose]();
    }
  });
}

test("each code is provoked here, and explained in the README and in src/errors.ts", () => {
  const source = readFileSync(projectFile("src/errors.ts"), "utf8");
  const readme = readFileSync(projectFile("README.md"), "utf8");
  const [, union] = /export type Fd3ErrorCode =([^;]*);/.exec(source)!;
  const codes = [...union.matchAll(/"(\w+)"/g)].map(([, code]) => code).sort();
  const firstCells = (lines: string) =>
    lines.split("\n").map((line) => /^(?: \*)? ?\|([^|]*)\|/.exec(line)?.[1] ?? "").join()
      .match(/`[A-Z0-9_]+`/g)!.map((code) => code.slice(1, -1)).sort();
  const [, errors] = /\n## Errors\n([^]*?)\n## /.exec(readme)!;
  assert.deepEqual([...new Set(errorRows.map((row) => row.code))].sort(), codes);
  assert.deepEqual(firstCells(errors), codes);
  assert.deepEqual(firstCells(source.slice(0, source.indexOf("*/"))), codes);
});
