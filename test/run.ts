// Runs every suite on every runtime, and adds up what they count: `npm test`, or `npm test -- deno bun node24 systemd`.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { killRunning, runSuites } from "./runner.ts";
import { runtimes, suites } from "./suites.ts";

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
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: runtimes,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`npm ci in test/runtimes: exit status ${status}`);
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`Cannot run ${unknown.join(", ")}: the suites are ${Object.keys(suites).join(", ")}`);
  process.exit(1);
}
installNodes();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killRunning();
    process.exit(1);
  });
}
const chosen = Object.entries(suites).filter(([name]) => wanted.length === 0 || wanted.includes(name));
const total = await runSuites(Object.fromEntries(chosen), {
  // Tests wait more than they work.
  lanes: 3,
  // The longest, http_restart_test.ts, takes 12 minutes where ten times as much runs as there are cores. One that hangs does so beside
  // the others and once more alone, which leaves a run in time for CI's limit.
  longestMs: 15 * 60_000,
  isStrict: process.env.CI === "true",
  show: (text) => void process.stdout.write(text),
});
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed === 0 ? 0 : 1);
