// The suites of `npm test`.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bunSummary, denoSummary, nodeSummary, packageSummary, type Summary } from "./outcome.ts";

export const root: string = fileURLToPath(new URL("..", import.meta.url));
/** Where the Node versions are. */
export const runtimes: string = `${root}test/runtimes`;

export interface Suite {
  /** The runner, to which files are added. */
  readonly command: readonly string[];
  /** What each process of the runner is given: a file, as a rule, so that one that fails can run again by itself. */
  readonly units: readonly (readonly string[])[];
  /** How many of them run at once. */
  readonly atOnce: number;
  /** More variables for the runner. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly summary: Summary;
  /** Why it cannot run here. */
  readonly obstacle?: string | undefined;
}

/** What a folder holds, without what lies deeper. */
function tests(folder: string): string[][] {
  const names = readdirSync(`${root}${folder}`).filter((name) => name.endsWith("_test.ts"));
  return names.sort().map((name) => [`./${folder}/${name}`]);
}

/**
 * What no runtime has a part in runs once, in the suite `project`: tests of the repository, and the comparison with libsystemd of what is
 * data in, data out.
 */
const once = ["oracle", "project"];

/** What each runtime does not run: these start by themselves, or have a suite of their own. */
const apart = ["bench", "fixtures", "runtimes", "systemd", ...once];

/** What each runtime runs: test/ itself, and its folders, which mirror src/ and runtimes/. */
function units(): string[][] {
  const folders = readdirSync(`${root}test`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !apart.includes(entry.name));
  return ["test", ...folders.map(({ name }) => `test/${name}`).sort()].flatMap(tests);
}

/** The sources that have examples in their documentation. */
function examples(): string[][] {
  const sources = ["runtimes", "src"].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).sort().map((file) => `${folder}/${file}`)
  );
  const hasExample = (file: string) => /^ *\* *```ts\b/m.test(readFileSync(`${root}${file}`, "utf8"));
  return ["mod.ts", ...sources].filter((file) => file.endsWith(".ts") && hasExample(file)).map((file) => [file]);
}

function node(version: string, files: string[][] = units(), atOnce = 1): Suite {
  // Node 20 strips no types, and 22 does not know `using`, which the tests have. Each file is compiled once for both: tsx takes half a second
  // more for each, and many are over in less.
  const launcher = version === "node20" || version === "node22"
    ? ["--enable-source-maps", `${root}test/fixtures/launch.js`]
    : [];
  const flags = ["--disable-warning=ExperimentalWarning", "--test-reporter=spec"];
  return {
    command: [`${runtimes}/node_modules/${version}/bin/node`, ...flags, ...launcher],
    units: files,
    atOnce,
    summary: nodeSummary,
  };
}

/** A systemd that boots needs root, namespaces and systemd itself. */
function systemdObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "it boots a systemd of its own, for which it must be root";
  return existsSync("/lib/systemd/systemd") ? undefined : "there is no systemd here";
}

/** What test/systemd/make_root.sh makes: the root of a Debian with a newer systemd. */
const newerRoot = "/var/cache/fd3-test/trixie";

/** They take as long as all the others, and ask more of the kernel and the runtimes than of systemd. */
const heavy = ["http_restart", "idle", "load", "patience", "streams"].map((name) => `./test/systemd/${name}_test.ts`);

/** The same with the systemd of another root but for what is heavy, and what only that one has. */
function newerSystemd(): Suite {
  const isMade = existsSync(`${newerRoot}/.fd3-complete`);
  const obstacle = isMade
    ? undefined
    : `there is no ${newerRoot}: sh test/systemd/make_root.sh makes it, with debootstrap`;
  const suite = node("node24", tests("test/systemd"), 2);
  return {
    ...suite,
    units: [...tests("test/systemd/newer"), ...suite.units.filter(([file]) => !heavy.includes(file))],
    environment: { FD3_LAB_ROOT: newerRoot },
    obstacle: systemdObstacle() ?? obstacle,
  };
}

const program = (name: string) => `${root}node_modules/.bin/${name}`;

export const suites: Record<string, () => Suite> = {
  // The longest comes first. Each file has a systemd of its own, and waits a lot.
  systemd: () => ({ ...node("node24", tests("test/systemd"), 2), obstacle: systemdObstacle() }),
  deno: () => ({
    command: [program("deno"), "test", "--no-check", "--allow-all"],
    units: units(),
    atOnce: 1,
    summary: denoSummary,
  }),
  // The examples in the documentation.
  docs: () => ({
    command: [program("deno"), "test", "--doc", "--allow-all"],
    units: examples(),
    atOnce: 1,
    summary: denoSummary,
  }),
  bun: () => ({
    command: [program("bun"), "test", "--timeout", "120000"],
    units: units(),
    atOnce: 1,
    summary: bunSummary,
  }),
  node20: () => node("node20"),
  node22: () => node("node22"),
  // By now the other systemd is through: labs want the most of the machine.
  systemd257: newerSystemd,
  node24: () => node("node24"),
  node26: () => node("node26"),
  project: () => node("node24", once.flatMap((folder) => tests(`test/${folder}`))),
  package: () => ({
    command: [process.execPath, "--import", "tsx"],
    units: [["scripts/pack_check.ts"]],
    atOnce: 1,
    summary: packageSummary,
  }),
};
