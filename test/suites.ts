// The suites of `npm test`, and how to read what their runners print.
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const root: string = fileURLToPath(new URL("..", import.meta.url));
/** Where the Node versions are. */
export const runtimes: string = `${root}test/runtimes`;

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface Suite {
  /** The runner, to which files are added. */
  readonly command: readonly string[];
  /** What each process of the runner is given: a file, as a rule, so that one that fails can run again by itself. */
  readonly units: readonly (readonly string[])[];
  /** How many of them run at once. */
  readonly atOnce: number;
  /** How the runner's summary says each count, and what it prints of the tests that failed. */
  readonly summary: Record<keyof Counts | "details", RegExp>;
  /** Why it cannot run here. */
  readonly obstacle?: string | undefined;
}

const nodeSummary = {
  passed: /^ℹ pass (\d+)$/m,
  failed: /^ℹ (?:fail|cancelled) (\d+)$/gm,
  skipped: /^ℹ skipped (\d+)$/m,
  details: /^✖ failing tests:[^]*/m,
};
const denoSummary = {
  passed: /\| (\d+) passed/,
  failed: /\| (\d+) failed/,
  skipped: /\| (\d+) ignored/,
  details: /^ ERRORS [^]*/m,
};
const bunSummary = {
  passed: /^ *(\d+) pass$/m,
  failed: /^ *(\d+) fail$/m,
  skipped: /^ *(\d+) skip$/m,
  details: /(?:.*\n){0,30}\(fail\) .*/,
};
const packageSummary = {
  passed: /^(\d+) passed/m,
  failed: /(\d+) failed$/m,
  skipped: /^$(\d)/m,
  details: /^FAILED [^]*/m,
};

function tests(folder: string): string[][] {
  const names = readdirSync(`${root}${folder}`).filter((name) => name.endsWith("_test.ts"));
  return names.sort().map((name) => [`./${folder}/${name}`]);
}

function sources(folder: string): string[] {
  const files = readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".ts")).sort().map((file) => `${folder}/${file}`);
}

function node(version: string, folder: string, atOnce = 1): Suite {
  // Node 20 strips no types, and 22 does not know `using`, which the tests have; the programs under test run as they are.
  const loader = version === "node20" || version === "node22" ? ["--import", "tsx"] : [];
  const flags = ["--disable-warning=ExperimentalWarning", "--test-reporter=spec"];
  return {
    command: [`${runtimes}/node_modules/${version}/bin/node`, ...loader, ...flags],
    units: tests(folder),
    atOnce,
    summary: nodeSummary,
  };
}

/** A systemd that boots needs root, namespaces and systemd itself. */
function systemdObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "it boots a systemd of its own, for which it must be root";
  return existsSync("/lib/systemd/systemd") ? undefined : "there is no systemd here";
}

const program = (name: string) => `${root}node_modules/.bin/${name}`;

export const suites: Record<string, () => Suite> = {
  // The longest comes first. Each file has a systemd of its own, and waits a lot.
  systemd: () => ({ ...node("node24", "test/systemd", 2), obstacle: systemdObstacle() }),
  deno: () => ({
    command: [program("deno"), "test", "--no-check", "--allow-all"],
    units: tests("test"),
    atOnce: 1,
    summary: denoSummary,
  }),
  // The examples in the documentation, at once, since most files have none.
  docs: () => ({
    command: [program("deno"), "test", "--doc", "--allow-all"],
    units: [["mod.ts", ...sources("runtimes"), ...sources("src")]],
    atOnce: 1,
    summary: denoSummary,
  }),
  bun: () => ({
    command: [program("bun"), "test", "--timeout", "120000"],
    units: tests("test"),
    atOnce: 1,
    summary: bunSummary,
  }),
  node20: () => node("node20", "test"),
  node22: () => node("node22", "test"),
  node24: () => node("node24", "test"),
  node26: () => node("node26", "test"),
  package: () => ({
    command: [process.execPath, "--import", "tsx"],
    units: [["scripts/pack_check.ts"]],
    atOnce: 1,
    summary: packageSummary,
  }),
};
