// Refuses files that import each other in a circle, types and late imports included: `node --import tsx scripts/circles.ts`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

/** What `deno info --json` says of a graph; it alone tells types from a run-time import, and follows both. */
interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly code?: Target; readonly type?: Target }[];
  }[];
}

interface Target {
  readonly specifier?: string;
}

const root = fileURLToPath(new URL("..", import.meta.url));

function sources(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return names.filter((name) => /^(?!.*node_modules\/).*\.ts$/.test(name)).map((name) => `${folder}/${name}`);
}

/** Which file imports which, by their URLs. */
function importsOf(files: readonly string[]): Map<string, string[]> {
  const scratch = mkdtempSync(`${tmpdir()}/fd3-circles-`);
  try {
    const urls = files.map((file) => pathToFileURL(file).href);
    writeFileSync(`${scratch}/all.ts`, urls.map((url) => `import ${JSON.stringify(url)};\n`).join(""));
    const command = ["info", "--json", "--no-remote", `${scratch}/all.ts`];
    const { status, stdout, stderr } = spawnSync(`${root}node_modules/.bin/deno`, command, {
      encoding: "utf8",
      maxBuffer: 1e9,
    });
    if (status !== 0) throw new Error(`Cannot read the imports: deno info: ${stderr}`);
    const { modules } = JSON.parse(stdout) as Graph;
    const targets = ({ dependencies = [] }: Graph["modules"][number]) =>
      dependencies.flatMap(({ code, type }) => [code?.specifier, type?.specifier])
        .filter((target) => target !== undefined);
    return new Map(modules.map((module) => [module.specifier, targets(module)]));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The circles that a walk through all files closes, each once. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string) => {
    const at = path.indexOf(file);
    if (at >= 0) return void found.push([...path.slice(at), file]);
    if (done.has(file)) return;
    path.push(file);
    for (const next of new Set(imports.get(file))) walk(next);
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) walk(file);
  return found;
}

const folders = process.argv.slice(2);
const shown = (url: string) => url.replace(pathToFileURL(root).href, "");
for (const circle of circles(importsOf(folders.flatMap(sources)))) {
  process.exitCode = 1;
  console.error(`a circle of imports: ${circle.map(shown).join(" → ")}`);
}
