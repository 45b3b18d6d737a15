// npm ci checks what it downloads only where the lock file says the digest: each package has one. `node scripts/lock_check.ts [FILE…]`
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What is wrong with the lock file of this path. */
function problems(path: string): string[] {
  const { lockfileVersion, packages } = JSON.parse(readFileSync(path, "utf8")) as {
    lockfileVersion: number;
    packages?: Record<string, { integrity?: string; resolved?: string }>;
  };
  if (packages === undefined) return [`${path}: expected a list of packages, found lockfileVersion ${lockfileVersion}`];
  const found: string[] = [];
  for (const [name, { integrity, resolved }] of Object.entries(packages)) {
    // The project itself.
    if (name === "") continue;
    // SHA-512 in base64.
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")) {
      found.push(`${path}: ${name}: expected the integrity as sha512, found ${integrity ?? "none"}`);
    }
    if (resolved !== undefined && !resolved.startsWith("https://registry.npmjs.org/")) {
      found.push(`${path}: ${name}: expected a package of https://registry.npmjs.org, found ${resolved}`);
    }
  }
  return found;
}

const own = ["package-lock.json", "test/runtimes/package-lock.json"];
const files = process.argv.length > 2
  ? process.argv.slice(2)
  : own.map((file) => fileURLToPath(new URL(`../${file}`, import.meta.url)));
const all = files.flatMap(problems);
if (all.length > 0) {
  console.error(all.join("\n"));
  process.exitCode = 1;
}
