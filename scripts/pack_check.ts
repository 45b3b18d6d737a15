// Checks the package as npm will have it: `npm run pack:check`, or `npm run pack:check -- FOLDER` to keep the tarball there.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { check, finish, program, root, run } from "./pack/checks.ts";
import { checkDaemon, checkKoffi, checkLoading, checkServing } from "./pack/runtimes.ts";
import { checkTypes } from "./pack/types.ts";

interface Packed {
  readonly filename: string;
  readonly files: readonly { path: string }[];
}

/** `npm pack`, which builds (prepack). */
async function pack(folder: string): Promise<Packed> {
  const output = await run(["npm", "pack", "--silent", "--json", "--pack-destination", folder]);
  return JSON.parse(output.slice(output.indexOf("[")))[0];
}

function checkContents({ files }: Packed): void {
  const expected = /^(package\.json|README\.md|LICENSE|dist\/.+\.(js|d\.ts))$/;
  assert.deepEqual(files.map(({ path }) => path).filter((path) => !expected.test(path)), []);
  // Not the examples in comments. Anything but our own files is a dependency, what one runtime alone has, or source.
  const specifiers = /^(?:import |(?! *\*).*\b(?:from |import\())"([^"]+)"/gm;
  const dependencies = new Set<string>();
  for (const { path } of files.filter(({ path }) => path.startsWith("dist/"))) {
    for (const [, id] of readFileSync(join(root, path), "utf8").matchAll(specifiers)) {
      if (!/^\..+\.js$/.test(id)) dependencies.add(id);
    }
  }
  const crossws = ["bun", "deno", "node"].map((name) => `crossws/adapters/${name}`);
  assert.deepEqual([...dependencies].sort(), ["@hono/node-server", ...crossws]);
}

/** A project of somebody's, with these packages installed. */
async function install(folder: string, ...packages: string[]): Promise<string> {
  mkdirSync(folder);
  // Or npm would look for one further up.
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"];
  await run(["npm", "install", ...flags, ...packages], folder);
  return folder;
}

/** `npm test` puts them there too. */
async function installNodes(): Promise<void> {
  const folder = `${root}test/runtimes`;
  if (!existsSync(`${folder}/node_modules`)) {
    await run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
  }
}

async function checkPackage(temp: string, kept: string): Promise<void> {
  const packed = await pack(kept);
  const tarball = join(kept, packed.filename);
  await check("contents", () => checkContents(packed));
  await check("publint --strict", async () => void await run([program("publint"), "run", "--strict", tarball]));
  await check("attw, profile esm-only", async () => {
    await run([program("attw"), tarball, "--profile", "esm-only", "--no-definitely-typed"]);
  });
  const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const alone = await install(join(temp, "alone"), tarball);
  await checkTypes(alone);
  await installNodes();
  await checkLoading(alone);
  await checkDaemon(alone);
  await checkServing(alone);
  await checkKoffi(await install(join(temp, "koffi"), tarball, `koffi@${devDependencies.koffi}`));
}

const temp = mkdtempSync(join(tmpdir(), "fd3-pack-"));
try {
  await check("one version everywhere", async () => {
    await run([process.execPath, "--import", "tsx", "scripts/version_check.ts"]);
  });
  const kept = process.argv[2] === undefined ? temp : resolve(process.argv[2]);
  mkdirSync(kept, { recursive: true });
  // What throws outside of a check has kept the others from running.
  await checkPackage(temp, kept).catch((error) =>
    check("the package can be made and installed", () => Promise.reject(error))
  );
} finally {
  rmSync(temp, { recursive: true, force: true });
}
finish();
