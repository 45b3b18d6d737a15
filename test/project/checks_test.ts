// What `npm run check` refuses beyond what deno lint and the types know.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { projectFile, runtime } from "../fixtures/runtime.ts";
import { tempFolder } from "../fixtures/sockets.ts";

const flags = { Deno: ["run", "--quiet", "--allow-all"], Bun: [], Node: ["--import", "tsx"] }[runtime];

/** What a program says of files. */
function check(files: Record<string, string>, command: (folder: string) => readonly string[]): [number | null, string] {
  using folder = tempFolder();
  mkdirSync(`${folder.path}/runtimes`);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder.path}/${name}`, text);
  const [program, ...args] = command(folder.path);
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stderr, stdout } = spawnSync(program, args, { cwd: projectFile("."), encoding: "utf8", env });
  return [status, (stdout + stderr).replaceAll(folder.path, "")];
}

const circles = (folder: string) => [process.execPath, ...flags, projectFile("scripts/circles.ts"), folder];

test("circles.ts shows each circle of imports, also of types and of what is loaded late", () => {
  const files = {
    "a.ts": 'import type { B } from "./b.ts";\nexport type A = B;\n',
    "b.ts": 'export type B = typeof import("./c.ts");\n',
    "c.ts": 'export const load = () => import("./a.ts");\nexport * from "./d.ts";\n',
    "d.ts": "export const d = 1;\n",
    "e.ts": 'export { d } from "./d.ts";\nexport { f } from "./f.ts";\n',
    "f.ts": 'export { d } from "./e.ts";\nexport const f = 1;\n',
  };
  const [status, said] = check(files, circles);
  assert.deepEqual(said.replaceAll("file://", "").trim().split("\n"), [
    "a circle of imports: /a.ts → /b.ts → /c.ts → /a.ts",
    "a circle of imports: /e.ts → /f.ts → /e.ts",
  ]);
  assert.equal(status, 1);
});

test("circles.ts accepts files that import each other in one direction", () => {
  const files = {
    "a.ts": 'import "./b.ts";\nimport "./c.ts";\n',
    "b.ts": 'import "./c.ts";\n',
    "c.ts": "export {};\n",
  };
  assert.deepEqual(check(files, circles), [0, ""]);
});

const lint = (folder: string) => [
  projectFile("node_modules/.bin/deno"),
  "lint",
  "--compact",
  "--config",
  projectFile("deno.json"),
  folder,
];

const lines = (count: number, line = "  void 0;\n") => line.repeat(count);
const called = (head: string, count: number) => `${head} {\n${lines(count - 2)}}`;

test("deno lint refuses long files and long functions, tests excepted", () => {
  const files = {
    "file.ts": lines(251, "void 0;\n"),
    "fits.ts": `${called("export function fits()", 40)}\n${lines(210, "void 0;\n")}`,
    "function.ts": `${called("export function long()", 41)}\n`,
    "arrow.ts": `export const arrow = () => ${called("", 42).trim()};\n`,
    "method.ts": `export class Long {\n${called("  method()", 43)}\n}\n`,
    "tested.ts": `import { test } from "node:test";\ntest("it", () => ${called("", 60).trim()});\n`,
    "runtimes/deno.ts": `/**\n${lines(300, " * A word.\n")} */\nexport const documented = 1;\n`,
    "runtimes/bun.ts": `${lines(250, "void 0;\n")}/** A word. */\nexport const documented = 1;\n`,
  };
  const [status, said] = check(files, lint);
  const found = [...said.matchAll(/^file:\/\/(\S+): line .* - (a f.* lines):/gm)].map(([, file, what]) =>
    `${file} ${what}`
  );
  assert.deepEqual(found.sort(), [
    "/arrow.ts a function of 42 lines",
    "/file.ts a file of 251 lines",
    "/function.ts a function of 41 lines",
    "/method.ts a function of 43 lines",
    "/runtimes/bun.ts a file of 251 lines",
  ], said);
  assert.equal(status, 1);
});
