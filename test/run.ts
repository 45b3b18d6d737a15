// Runs every suite on every runtime, and adds up what they count: `npm test`, or `npm test -- deno bun node24 systemd`.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { type Counts, root, runtimes, type Suite, suites } from "./suites.ts";

/** How long a suite may take, in milliseconds. */
const longest = 20 * 60_000;
/** How many suites run at once. */
const lanes = 3;
/** How many characters about failed tests are shown again at the end. */
const longestDetails = 4000;
const inCi = process.env.CI === "true";

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

/** The environment of a suite, without colors. Node 24 and later compile the sources once instead of at each start of a program. */
function environment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _color, ...env } = process.env;
  const cache = `${root}node_modules/.cache/node`;
  return { ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", NODE_COMPILE_CACHE: cache };
}

/** Runs a suite, shows what it prints, and counts. */
async function run({ command, summary }: Suite, show: (text: string) => void): Promise<Counts & { details: string }> {
  const [file, ...args] = command;
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: environment() });
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
  const details = counts.failed === 0 ? "" : (summary.details.exec(output)?.[0] ?? output.slice(-longestDetails));
  return { ...counts, details: details.slice(0, longestDetails) };
}

/** Runs one suite and adds it up. Gives what it says of tests that failed. */
async function runNamed(name: string, total: Counts, show: (text: string) => void): Promise<string> {
  const suite = suites[name]();
  show(`\n== ${name}\n`);
  if (suite.obstacle !== undefined) {
    show(`${inCi ? "failed" : "skipped"}: ${suite.obstacle}\n`);
    total[inCi ? "failed" : "skipped"]++;
    return "";
  }
  const started = Date.now();
  const { details, ...counts } = await run(suite, show);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  show(`== ${name}: ${counts.passed} passed, ${counts.failed} failed, ${seconds} s\n`);
  for (const key of ["passed", "failed", "skipped"] as const) total[key] += counts[key];
  return details === "" ? "" : `\n== failed in ${name}\n${details}\n`;
}

/** Some at a time, since tests wait more than they work; what a suite prints comes when it is through, unless it is alone. */
async function runAll(names: readonly string[], total: Counts): Promise<void> {
  const left = [...names];
  let failures = "";
  const lane = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      let text = "";
      const isAlone = names.length === 1;
      const failure = await runNamed(name, total, (more) => isAlone ? process.stdout.write(more) : text += more);
      failures += failure;
      process.stdout.write(text);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  process.stdout.write(failures);
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`Cannot run ${unknown.join(", ")}: the suites are ${Object.keys(suites).join(", ")}`);
  process.exit(1);
}
installNodes();
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
await runAll(Object.keys(suites).filter((name) => wanted.length === 0 || wanted.includes(name)), total);
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed === 0 ? 0 : 1);
