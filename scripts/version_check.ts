// The version is the same wherever it is written: `node scripts/version_check.ts [TAG]`, a TAG being v and the version.
import { readFileSync } from "node:fs";
import process from "node:process";

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");

const { version } = JSON.parse(read("package.json")) as { version: string };
const tag = process.argv[2];
const problems: string[] = [];
const expect = (what: string, found: string | undefined, wanted: string) => {
  if (found !== wanted) problems.push(`${what}: expected ${wanted}, found ${found}`);
};

expect("deno.json", (JSON.parse(read("deno.json")) as { version?: string }).version, version);
const lock = JSON.parse(read("package-lock.json")) as { version?: string; packages: { "": { version?: string } } };
expect("package-lock.json", lock.version, version);
expect('packages[""] of package-lock.json', lock.packages[""].version, version);
if (tag === undefined) {
  expect("CHANGELOG.md", /^## ([^\s]+)/m.exec(read("CHANGELOG.md"))?.[1], version);
} else {
  expect("the tag", tag, `v${version}`);
  // What is released is no longer "(unreleased)".
  expect("CHANGELOG.md", /^## (.+)$/m.exec(read("CHANGELOG.md"))?.[1].replace(/ \(\d{4}-\d\d-\d\d\)$/, ""), version);
}

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
} else {
  console.log(version);
}
