// Builds dist/ for npm: `npm run build`. Code in shared chunks by esbuild, declarations by tsc.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}dist`;
const entryPoints = ["mod.ts", "runtimes/deno.ts", "runtimes/bun.ts", "runtimes/node.ts"];

/**
 * What an entry point imports dynamically reaches all of that entry point, which is there by then anyway: so esbuild does not cut what
 * `listen()` needs into chunks that the dynamic part shares and others, twice as many.
 */
const wholeEntryPoints: Plugin = {
  name: "whole entry points",
  setup({ onLoad, onResolve }) {
    const namespace = "dynamic";
    onResolve({ filter: /^\.\/.+\.ts$/ }, ({ kind, path, importer, resolveDir }) => {
      if (kind !== "dynamic-import" || !entryPoints.includes(relative(root, importer))) return undefined;
      return { path: join(resolveDir, path), namespace, pluginData: importer };
    });
    onLoad({ filter: /./, namespace }, ({ path, pluginData }) => ({
      contents: `export * from ${JSON.stringify(path)};\nexport * as entryPoint from ${JSON.stringify(pluginData)};\n`,
      resolveDir: root,
    }));
  },
};

/**
 * One build for all entry points, so that what they share is one module however they are mixed: `error instanceof Fd3Error` holds
 * between `fd3` and `fd3/node`. In chunks, because each module more delays the start, most of all on Bun.
 */
async function bundle(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    outbase: root,
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    // Nothing of any runtime is in the code but by getBuiltinModule(): a static import of one fails here.
    platform: "neutral",
    // A dependency, which is loaded when somebody serves with it.
    external: ["@hono/node-server"],
    plugins: [wholeEntryPoints],
    target: "es2022",
    logLevel: "warning",
  });
}

function declare(declarations: string): void {
  const tsc = spawnSync(`${root}node_modules/.bin/tsc`, ["-p", "tsconfig.build.json", "--outDir", declarations], {
    cwd: root,
    stdio: "inherit",
  });
  if (tsc.status !== 0) throw new Error(`tsc: exit status ${tsc.status}`);
}

/**
 * Copies the declarations that the entry points reach, and no others. tsc leaves `.ts` in what declarations import (7.0, whatever
 * rewriteRelativeImportExtensions says); `.js` is what every resolution understands.
 */
function copyDeclarations(declarations: string): void {
  const wanted = entryPoints.map((entry) => entry.replace(/\.ts$/, ".d.ts"));
  const seen = new Set(wanted);
  for (const file of wanted) {
    const text = readFileSync(join(declarations, file), "utf8");
    const rewritten = text.replace(/\b(from |import\()"(\.[^"]+)\.ts"/g, (_match, how: string, path: string) => {
      const next = join(dirname(file), `${path}.d.ts`);
      if (!seen.has(next)) wanted.push(next);
      seen.add(next);
      return `${how}"${path}.js"`;
    });
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    // In the examples the package has its name on npm.
    writeFileSync(join(dist, file), rewritten.replaceAll('"@fd3/fd3', '"fd3'));
  }
}

rmSync(dist, { recursive: true, force: true });
const declarations = mkdtempSync(join(tmpdir(), "fd3-build-"));
try {
  declare(declarations);
  await bundle();
  copyDeclarations(declarations);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  rmSync(declarations, { recursive: true, force: true });
}
