// What is loaded when: the files that an entry point loads at once, and what is named as loaded late.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { projectFile } from "../fixtures/runtime.ts";
import { tempFolder } from "../fixtures/sockets.ts";

interface Metafile {
  readonly inputs: Readonly<
    Record<string, { readonly imports: readonly { path: string; kind: string; external?: true }[] }>
  >;
}

const entryPoints = ["runtimes/deno.ts", "runtimes/bun.ts", "runtimes/node.ts"];

/** What imports what, types left out, as esbuild finds it. By its program: some runtimes do not end while its library's child is there. */
function readInputs(): Metafile["inputs"] {
  using folder = tempFolder();
  const metafile = `${folder.path}/meta.json`;
  const flags = ["--bundle", "--format=esm", "--splitting", "--platform=neutral", "--packages=external"];
  const esbuild = spawnSync(
    projectFile("node_modules/.bin/esbuild"),
    [...entryPoints, ...flags, `--outdir=${folder.path}`, `--metafile=${metafile}`, "--log-level=error"],
    { cwd: projectFile(""), encoding: "utf8" },
  );
  assert.equal(esbuild.status, 0, esbuild.stderr);
  return JSON.parse(readFileSync(metafile, "utf8")).inputs;
}

const inputs = readInputs();

function imported(file: string, kind: "import-statement" | "dynamic-import"): string[] {
  return inputs[file].imports.filter((it) => it.kind === kind && it.external !== true).map(({ path }) => path);
}

/** All that a file needs before it runs. */
function closure(entry: string): string[] {
  const files = new Set([entry]);
  for (const file of files) for (const path of imported(file, "import-statement")) files.add(path);
  return [...files].sort();
}

const isLate = (file: string) => file.endsWith(".late.ts");

/** What an activated listener needs, on each runtime; a file more delays each start of it. */
const onAll = [
  "runtimes/shared/common.ts",
  ...["choose", "listen_fds", "number", "table", "take_fd"].map((name) => `src/activation/${name}.ts`),
  ...["errors", "fd3", "free_fds", "host", "lazy", "listen", "quoted", "runtime", "system_error"].map((name) =>
    `src/${name}.ts`
  ),
  ...["constants", "libc", "proc", "sockaddr", "socket"].map((name) => `src/linux/${name}.ts`),
  "src/notify/facade.ts",
  ...["log", "surroundings"].map((name) => `src/service/${name}.ts`),
  ...["connection", "listener"].map((name) => `src/stream/${name}.ts`),
];

const onProcess = ["process_host", "process_service"].map((name) => `runtimes/shared/${name}.ts`);

const ofEach: Readonly<Record<string, readonly string[]>> = {
  "runtimes/deno.ts": [
    "runtimes/deno.ts",
    ...["accept", "address", "daemon", "host", "libc", "listener", "native", "service_host", "types"].map((name) =>
      `runtimes/deno/${name}.ts`
    ),
    ...["epoll", "transplant"].map((name) => `src/linux/${name}.ts`),
    "src/stream/pull_connection.ts",
  ],
  "runtimes/bun.ts": [
    "runtimes/bun.ts",
    ...["connection", "exhaustion", "host", "libc", "listener", "native", "types"].map((name) =>
      `runtimes/bun/${name}.ts`
    ),
    ...onProcess,
    ...["backlog", "epoll"].map((name) => `src/linux/${name}.ts`),
    "src/stream/push_connection.ts",
  ],
  "runtimes/node.ts": [
    "runtimes/node.ts",
    ...["host", "inspect", "libc"].map((name) => `runtimes/node/${name}.ts`),
    ...onProcess,
    ...["net_connection", "net_listener"].map((name) => `runtimes/shared/${name}.ts`),
    "src/linux/backlog.ts",
    "src/stream/push_connection.ts",
  ],
};

for (const entry of entryPoints) {
  test(`${entry} loads at once what an activated listener needs, and nothing else`, () => {
    assert.deepEqual(closure(entry), [...onAll, ...ofEach[entry]].sort());
  });
}

test("what is loaded by import() is named .late.ts, and nothing else is", () => {
  const files = Object.keys(inputs);
  const loaded = new Set(files.flatMap((file) => imported(file, "dynamic-import")));
  assert.deepEqual([...loaded].filter((file) => !isLate(file)), []);
  // Those that only another late one loads come with it, at once.
  const late = files.filter(isLate);
  const withAnother = late.filter((file) => late.some((other) => imported(other, "import-statement").includes(file)));
  assert.deepEqual(late.filter((file) => !loaded.has(file) && !withAnother.includes(file)), []);
  assert.ok(loaded.size > 15, [...loaded].join());
});
