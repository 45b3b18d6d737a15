// What the project takes from others, and what runs where the package can be published.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { projectFile, runtime } from "../fixtures/runtime.ts";
import { tempFolder } from "../fixtures/sockets.ts";

const flags = { Deno: ["run", "--quiet", "--allow-read"], Bun: [], Node: ["--import", "tsx"] }[runtime];

function lockCheck(...files: string[]): { status: number | null; stderr: string } {
  const script = projectFile("scripts/lock_check.ts");
  const { status, stderr } = spawnSync(process.execPath, [...flags, script, ...files], {
    cwd: projectFile("."),
    encoding: "utf8",
  });
  return { status, stderr };
}

test("lock_check.ts accepts the project's own lock files", () => {
  assert.deepEqual(lockCheck(), { status: 0, stderr: "" });
});

test("lock_check.ts names each package that npm would take unseen", () => {
  using folder = tempFolder();
  const integrity = `sha512-${"A".repeat(86)}==`;
  const good = { version: "1.0.0", integrity };
  const packages = {
    "": { name: "project" },
    "node_modules/good": good,
    "node_modules/npm": { ...good, resolved: "https://registry.npmjs.org/npm/-/npm-1.0.0.tgz" },
    "node_modules/none": { version: "1.0.0" },
    "node_modules/weak": { version: "1.0.0", integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
    "node_modules/short": { version: "1.0.0", integrity: "sha512-AAAA" },
    "node_modules/link": { resolved: "../link", link: true },
    "node_modules/git": { ...good, resolved: "git+ssh://git@github.com/a/b.git#0123" },
    "node_modules/mirror": { ...good, resolved: "https://registry.npmjs.org.example/m.tgz" },
  };
  const file = `${folder.path}/package-lock.json`;
  writeFileSync(file, JSON.stringify({ lockfileVersion: 3, packages }));
  const old = `${folder.path}/old.json`;
  writeFileSync(old, JSON.stringify({ lockfileVersion: 1, dependencies: {} }));
  const digest = "expected the integrity as sha512, found";
  const origin = "expected a package of https://registry.npmjs.org, found";
  const { status, stderr } = lockCheck(file, old);
  assert.equal(status, 1);
  assert.deepEqual(stderr.trim().split("\n"), [
    `${file}: node_modules/none: ${digest} none`,
    `${file}: node_modules/weak: ${digest} sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=`,
    `${file}: node_modules/short: ${digest} sha512-AAAA`,
    `${file}: node_modules/link: ${digest} none`,
    `${file}: node_modules/link: ${origin} ../link`,
    `${file}: node_modules/git: ${origin} git+ssh://git@github.com/a/b.git#0123`,
    `${file}: node_modules/mirror: ${origin} https://registry.npmjs.org.example/m.tgz`,
    `${old}: expected a list of packages, found lockfileVersion 1`,
  ]);
});

const workflows = projectFile(".github/workflows");

/** The text of each job. */
function jobsOf(file: string): Record<string, string> {
  const [, jobs] = readFileSync(`${workflows}/${file}`, "utf8").split(/^jobs:\n/m);
  const parts = jobs.replaceAll(/^ *#.*\n/gm, "").split(/^ {2}([\w-]+):\n/m).slice(1);
  return Object.fromEntries(
    parts.flatMap((name, i) => i % 2 === 0 ? [[name, parts[i + 1]] as const] : []),
  );
}

test("the workflows pin each action by its commit, and give no right to all jobs", () => {
  for (const file of readdirSync(workflows)) {
    const text = readFileSync(`${workflows}/${file}`, "utf8");
    assert.match(text, /^permissions: \{\}$/m, file);
    for (const [, action] of text.matchAll(/\buses: (.*)/g)) {
      assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
    }
  }
});

test("a job that can publish runs no code of a dependency, and needs the environment", () => {
  const publishing: string[] = [];
  for (const file of readdirSync(workflows)) {
    for (const [name, text] of Object.entries(jobsOf(file))) {
      const canPublish = /: write\b|\bsecrets\./.test(text);
      if (!canPublish) continue;
      publishing.push(`${file}: ${name}`);
      assert.match(text, /^ {4}environment: release$/m, name);
      assert.match(text, /^ {4}needs: build$/m, name);
      assert.doesNotMatch(text, /\bnpm (?:ci|i|install|run|test|exec|rebuild)\b|\bnpx\b|\.ci\/run|node_modules/, name);
      for (const [line] of text.matchAll(/.*\bnpm publish\b.*/g)) assert.match(line, /--ignore-scripts/, name);
    }
  }
  assert.deepEqual(publishing, ["release.yml: npm", "release.yml: jsr"]);
});
