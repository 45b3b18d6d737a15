// The code of dist/: which source file goes into which file there.
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions, type Metafile, type Plugin, transform } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}dist`;

/** The entry points that do the work; mod.ts only chooses among them. */
export const runtimes: string[] = ["runtimes/deno.ts", "runtimes/bun.ts", "runtimes/node.ts"];

/** Nothing of any runtime is in the code but by getBuiltinModule(): a static import of one fails here. */
const common = {
  absWorkingDir: root,
  outbase: root,
  bundle: true,
  format: "esm",
  platform: "neutral",
  // Dependencies, which are loaded when somebody serves with them.
  external: ["@hono/node-server", "crossws"],
  target: "es2022",
  logLevel: "warning",
} as const satisfies BuildOptions;

type Inputs = Metafile["inputs"];

async function inspect(): Promise<Inputs> {
  const { metafile } = await build({
    ...common,
    entryPoints: runtimes,
    outdir: dist,
    splitting: true,
    metafile: true,
    write: false,
  });
  return metafile.inputs;
}

/** What files import in one of the two ways; of dependencies nothing is known. */
function imports(inputs: Inputs, file: string, kind: "import-statement" | "dynamic-import"): string[] {
  return inputs[file].imports.filter((it) => it.kind === kind && it.external !== true).map(({ path }) => path);
}

/** The files that a file needs before it runs. */
function closure(inputs: Inputs, entry: string): Set<string> {
  const files = new Set([entry]);
  for (const file of files) for (const path of imports(inputs, file, "import-statement")) files.add(path);
  return files;
}

function dynamicImports(inputs: Inputs, files: readonly string[]): Set<string> {
  return new Set(files.flatMap((file) => imports(inputs, file, "dynamic-import")));
}

/**
 * What several entry points share, and what Deno, Bun or `daemon()` share with a part that is loaded later: outside of the core it would be a
 * file more. What Node alone loads at once stays out, since a file more weighs less there than lines do on Bun.
 */
function coreFiles(inputs: Inputs): string[] {
  const [deno, bun, node] = runtimes.map((entry) => closure(inputs, entry));
  const daemon = closure(inputs, "src/daemon/daemon.late.ts");
  const later = [...dynamicImports(inputs, Object.keys(inputs))].map((file) => closure(inputs, file));
  const isCore = (file: string) => {
    const uses = [deno, bun, node].filter((files) => files.has(file)).length;
    const laterUses = later.filter((files) => files.has(file)).length;
    return uses > 1 || ((deno.has(file) || bun.has(file)) && laterUses > 0) || (daemon.has(file) && laterUses > 1);
  };
  return Object.keys(inputs).filter(isCore).sort();
}

/** Leaves some imports to other files of dist/: `place()` says where a file went. */
function elsewhere(place: (file: string, kind: string) => string | undefined): Plugin {
  return {
    name: "elsewhere",
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        const there = place(join(resolveDir, path).slice(root.length), kind);
        return there === undefined ? undefined : { path: there, external: true };
      });
    },
  };
}

const chunk = (file: string) => `chunks/${basename(file, ".late.ts")}`;

/**
 * An entry point is two files: core.js, one module instance however the entry points are mixed, so that `error instanceof Fd3Error`
 * holds between `fd3` and `fd3/node`; and its own with the rest of what a start with an inherited socket needs. Each file delays the
 * start, and each line, most of all on Bun. Everything else is in chunks that are loaded when they are needed.
 */
export async function bundle(): Promise<void> {
  const inputs = await inspect();
  const core = coreFiles(inputs);
  const later = dynamicImports(inputs, core);
  await build({
    ...common,
    stdin: { contents: core.map((file) => `export * from "./${file}";`).join("\n"), resolveDir: root },
    outfile: `${dist}/core.js`,
    plugins: [elsewhere((file, kind) => kind === "dynamic-import" ? `./${chunk(file)}.js` : undefined)],
  });
  await build({
    ...common,
    entryPoints: [...runtimes, ...later].map((file) => ({
      in: file,
      out: later.has(file) ? chunk(file) : file.slice(0, -".ts".length),
    })),
    outdir: dist,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    plugins: [elsewhere((file) => core.includes(file) ? "../core.js" : undefined)],
  });
  const { code } = await transform(readFileSync(`${root}mod.ts`, "utf8"), { loader: "ts", target: common.target });
  const paths = code.replace("./src/errors.ts", "./core.js").replace(/("\.\/runtimes\/\w+)\.ts"/g, '$1.js"');
  writeFileSync(`${dist}/mod.js`, paths);
}
