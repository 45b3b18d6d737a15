// A daemon as one file, as bundlers make it, and as one executable.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { activate, eventually } from "./fixtures/activate.ts";
import { ask } from "./fixtures/http_client.ts";
import { holdNotifySocket } from "./fixtures/notify_socket.ts";
import { everything, projectFile, runtime, type Variant } from "./fixtures/runtime.ts";
import { holdUnix, tempFolder } from "./fixtures/sockets.ts";

const program = `
import { capabilities, daemon } from ${JSON.stringify(projectFile("mod.ts"))};

daemon(async (context) => {
  const { transport, cannot } = await capabilities();
  context.status(transport);
  await context.serve(() => new Response(JSON.stringify({ transport, cannot })));
});
`;

/** The program and fd3 as one file, in a folder with its packages or without any. */
function bundle(folder: string, format: "esm" | "cjs"): string {
  const source = `${folder}/program.ts`;
  const file = `${folder}/program.${format === "esm" ? "mjs" : "cjs"}`;
  writeFileSync(source, program);
  // By its own program: some runtimes do not end while its library's child is there.
  const esbuild = spawnSync(projectFile("node_modules/.bin/esbuild"), [
    source,
    "--bundle",
    `--format=${format}`,
    "--platform=node",
    "--external:bun:*",
    "--log-override:empty-import-meta=silent",
    `--outfile=${file}`,
  ], { encoding: "utf8" });
  assert.equal(esbuild.status, 0, esbuild.stderr);
  return file;
}

/** Runs it as a service; gives what it answered. */
async function serveWith(variant: Variant, script: string): Promise<string> {
  using folder = tempFolder();
  using held = holdUnix(`${folder.path}/s.sk`);
  using socket = holdNotifySocket(`@fd3-bundle-${process.pid}-${Math.random()}`);
  await using started = activate({ variant, script, fds: [held.fd], env: { NOTIFY_SOCKET: socket.address } });
  const told: string[] = [];
  const hears = async (what: string) => {
    const has = await eventually(() => {
      told.push(...socket.drain());
      return told.join("\n").includes(what);
    });
    assert.ok(has, `${what} is not in ${told}: ${started.stderr()}`);
  };
  const answer = await ask(held.target);
  await hears("READY=1");
  const ended = started.terminate();
  await hears("STOPPING=1");
  assert.equal(await ended, 0, started.stderr());
  return answer;
}

/** This runtime as it is: a bundle is no TypeScript that Node 20 could not read. */
const bare: Variant = runtime === "Node"
  ? { name: "Node", command: [process.execPath, "--disable-warning=ExperimentalWarning"], ffi: true }
  : everything;

/** How a bundle sends, where koffi is there or not. */
function expected(hasKoffi: boolean): string {
  const hasFfi = runtime !== "Node" || process.getBuiltinModule("node:ffi") !== undefined;
  return hasFfi || hasKoffi ? "ffi" : "systemd-notify";
}

for (const format of ["esm", "cjs"] as const) {
  test(`a daemon that is bundled as ${format} works, with koffi beside it and without (${runtime})`, async () => {
    for (const hasKoffi of [true, false]) {
      using folder = tempFolder();
      const script = bundle(folder.path, format);
      if (hasKoffi) symlinkSync(projectFile("node_modules"), `${folder.path}/node_modules`);
      const answer = await serveWith(bare, script);
      const { transport, cannot } = JSON.parse(answer.replace(/^200 /, ""));
      assert.equal(transport, expected(hasKoffi), answer);
      if (transport === "ffi") assert.deepEqual(cannot, {});
      else assert.equal(cannot.storeFd, "Node before 26.1 calls libc with the package koffi: npm install koffi");
    }
  });
}

/** Whether this Node makes executables by itself. */
const makesExecutables = runtime === "Node" && process.allowedNodeEnvironmentFlags !== undefined &&
  spawnSync(process.execPath, ["--help"], { encoding: "utf8" }).stdout.includes("--build-sea");

test(`a daemon that is a single executable works (${runtime})`, async () => {
  if (!makesExecutables) return console.log(`not here: ${process.execPath} has no --build-sea`);
  using folder = tempFolder();
  const main = bundle(folder.path, "cjs");
  const output = `${folder.path}/program`;
  writeFileSync(`${folder.path}/sea.json`, JSON.stringify({ main, output, disableExperimentalSEAWarning: true }));
  const made = spawnSync(process.execPath, ["--build-sea", `${folder.path}/sea.json`], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  const answer = await serveWith({ name: "executable", command: [], ffi: true }, output);
  assert.match(answer, /^200 \{"transport":"ffi"/);
});
