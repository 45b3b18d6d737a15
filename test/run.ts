// Runs every suite on every runtime, and adds up what they count: `npm test`, or `npm test -- deno bun node24 systemd`.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const runtimes = `${root}test/runtimes`;
/** How long a suite may take, in milliseconds. */
const longest = 20 * 60_000;
const inCi = process.env.CI === "true";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Suite {
  readonly command: readonly string[];
  /** How the runner's summary says each count. */
  readonly summary: Record<keyof Counts, RegExp>;
  /** Why it cannot run here. */
  readonly obstacle?: string | undefined;
}

const nodeSummary = {
  passed: /^ℹ pass (\d+)$/m,
  failed: /^ℹ (?:fail|cancelled) (\d+)$/gm,
  skipped: /^ℹ skipped (\d+)$/m,
};
const denoSummary = { passed: /\| (\d+) passed/, failed: /\| (\d+) failed/, skipped: /\| (\d+) ignored/ };
const bunSummary = { passed: /^ *(\d+) pass$/m, failed: /^ *(\d+) fail$/m, skipped: /^ *(\d+) skip$/m };

function tests(folder: string): string[] {
  const names = readdirSync(`${root}${folder}`).filter((name) => name.endsWith("_test.ts"));
  return names.sort().map((name) => `./${folder}/${name}`);
}

function sources(folder: string): string[] {
  const files = readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".ts")).sort().map((file) => `${folder}/${file}`);
}

function node(version: string, folder: string): Suite {
  // Node 20 strips no types, and 22 does not know `using`, which the tests have; the programs under test run as they are.
  const loader = version === "node20" || version === "node22" ? ["--import", "tsx"] : [];
  const flags = ["--disable-warning=ExperimentalWarning", "--test", "--test-reporter=spec", "--test-concurrency=1"];
  return {
    command: [`${runtimes}/node_modules/${version}/bin/node`, ...loader, ...flags, ...tests(folder)],
    summary: nodeSummary,
  };
}

/** A systemd that boots needs root, namespaces and systemd itself. */
function systemdObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "it boots a systemd of its own, for which it must be root";
  return existsSync("/lib/systemd/systemd") ? undefined : "there is no systemd here";
}

const program = (name: string) => `${root}node_modules/.bin/${name}`;

const suites: Record<string, () => Suite> = {
  // The longest comes first.
  systemd: () => ({ ...node("node24", "test/systemd"), obstacle: systemdObstacle() }),
  deno: () => ({
    command: [program("deno"), "test", "--no-check", "--allow-all", ...tests("test")],
    summary: denoSummary,
  }),
  // The examples in the documentation.
  docs: () => ({
    command: [program("deno"), "test", "--doc", "--allow-all", "mod.ts", ...sources("runtimes"), ...sources("src")],
    summary: denoSummary,
  }),
  bun: () => ({ command: [program("bun"), "test", "--timeout", "120000", ...tests("test")], summary: bunSummary }),
  node20: () => node("node20", "test"),
  node22: () => node("node22", "test"),
  node24: () => node("node24", "test"),
  node26: () => node("node26", "test"),
  package: () => ({
    command: [process.execPath, "--import", "tsx", "scripts/pack_check.ts"],
    summary: { passed: /^(\d+) passed/m, failed: /(\d+) failed$/m, skipped: /^$(\d)/m },
  }),
};

/** The Node versions lie in a folder of their own, so that none of them comes before the user's on npm's PATH. */
function installNodes(): void {
  const lock = JSON.parse(readFileSync(`${runtimes}/package-lock.json`, "utf8"));
  const installed = (path: string, { version }: { version?: string }) => {
    const manifest = `${runtimes}/${path}/package.json`;
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === version;
  };
  const packages = Object.entries(lock.packages as Record<string, { version?: string; optional?: boolean }>);
  if (packages.every(([path, entry]) => path === "" || entry.optional || installed(path, entry))) return;
  console.log("Installing Node 20, 22, 24 and 26 in test/runtimes");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: runtimes, stdio: "inherit" });
  if (status !== 0) throw new Error(`npm ci in test/runtimes: exit status ${status}`);
}

function count(output: string, pattern: RegExp): number {
  const matches = pattern.global ? [...output.matchAll(pattern)] : [pattern.exec(output)];
  return matches.reduce((sum, match) => sum + Number(match?.[1] ?? 0), 0);
}

/** Runs a suite, shows what it prints, and counts. */
async function run({ command, summary }: Suite, show: (text: string) => void): Promise<Counts> {
  const [file, ...args] = command;
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", DENO_NO_UPDATE_CHECK: "1" };
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      show(text);
    });
  }
  const limit = setTimeout(() => {
    show(`killed, since it takes longer than ${longest / 60_000} minutes\n`);
    child.kill("SIGKILL");
  }, longest);
  const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  clearTimeout(limit);
  const counts = {
    passed: count(output, summary.passed),
    failed: count(output, summary.failed),
    skipped: count(output, summary.skipped),
  };
  // A runner that died, or that found no test, has failed too.
  if (counts.failed === 0 && (status !== 0 || counts.passed === 0)) counts.failed = 1;
  return counts;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`Cannot run ${unknown.join(", ")}: the suites are ${Object.keys(suites).join(", ")}`);
  process.exit(1);
}
/** Runs one suite and adds it up. */
async function runNamed(name: string, total: Counts, show: (text: string) => void): Promise<void> {
  const suite = suites[name]();
  show(`\n== ${name}\n`);
  if (suite.obstacle !== undefined) {
    show(`${inCi ? "failed" : "skipped"}: ${suite.obstacle}\n`);
    total[inCi ? "failed" : "skipped"]++;
    return;
  }
  const started = Date.now();
  const counts = await run(suite, show);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  show(`== ${name}: ${counts.passed} passed, ${counts.failed} failed, ${seconds} s\n`);
  for (const key of ["passed", "failed", "skipped"] as const) total[key] += counts[key];
}

/** Two at a time, since tests wait more than they work; what a suite prints comes when it is through, unless it is alone. */
async function runAll(names: readonly string[], total: Counts): Promise<void> {
  const left = [...names];
  const lane = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      let text = "";
      const isAlone = names.length === 1;
      await runNamed(name, total, (more) => isAlone ? process.stdout.write(more) : text += more);
      process.stdout.write(text);
    }
  };
  await Promise.all([lane(), lane()]);
}

installNodes();
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
await runAll(Object.keys(suites).filter((name) => wanted.length === 0 || wanted.includes(name)), total);
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed === 0 ? 0 : 1);
