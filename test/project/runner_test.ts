// What `npm test` makes of its runners: with suites of a few lines, each in a folder of the test's own.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { tempFolder } from "../fixtures/sockets.ts";
import { bunSummary, denoSummary, nodeSummary, outcomeOf, packageSummary, type Summary } from "../outcome.ts";
import { type RunOptions, runSuites } from "../runner.ts";
import { root, type Suite, suites } from "../suites.ts";

const summary = { passed: /^(\d+) passed/m, failed: /(\d+) failed$/m, skipped: /^$(\d)/m, details: /^because .*/m };

/** A suite of shell scripts, whose first argument is a file that only exists once they have run. */
function scripts(folder: string, texts: Readonly<Record<string, string>>): Suite {
  const units = Object.entries(texts).map(([name, text]) => {
    const path = `${folder}/${name}`;
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return [path, `${path}.ran`];
  });
  return { command: ["sh"], units, atOnce: 2, summary };
}

async function run(made: Readonly<Record<string, Suite>>, changes: Partial<RunOptions> = {}) {
  let text = "";
  const options = { lanes: 2, longestMs: 60_000, isStrict: true, show: (more: string) => text += more, ...changes };
  const lazily = Object.fromEntries(Object.entries(made).map(([name, suite]) => [name, () => suite]));
  const counts = await runSuites(lazily, options);
  return { counts, text };
}

const passes = "echo 3 passed, 0 failed";
const fails = "echo because of this; echo 2 passed, 1 failed; exit 1";
const failsOnce = `if [ -e "$1" ]; then ${passes}; else touch "$1"; ${fails}; fi`;
/** Passes among the others and alone but for the last time. */
const failsTwice = 'echo . >>"$1"; case $(wc -l <"$1") in 2) echo 3 passed, 0 failed;; *) ' + fails + ";; esac";

test("runSuites() adds up what all units count", async () => {
  using folder = tempFolder();
  const suite = scripts(folder.path, { a: passes, b: passes, c: passes });
  const { counts, text } = await run({ one: suite, two: suite });
  assert.deepEqual(counts, { passed: 18, failed: 0, skipped: 0 });
  assert.doesNotMatch(text, /unstable|again/);
});

test("runSuites() counts a unit that fails among the others and passes alone, twice, as passed, and names it", async () => {
  using folder = tempFolder();
  const { counts, text } = await run({ one: scripts(folder.path, { a: passes, b: failsOnce }) });
  assert.deepEqual(counts, { passed: 6, failed: 0, skipped: 0 });
  assert.match(text, /\/b, again, alone \(1 of 2\)[^]*\/b, again, alone \(2 of 2\)/);
  const [, list] = text.split("== unstable: failed among the others, and passed alone\n");
  assert.equal(list, `one: ${folder.path}/b\nbecause of this\n`);
});

test("runSuites() counts a unit that fails alone, be it the second time, as failed", async () => {
  using folder = tempFolder();
  const { counts, text } = await run({ one: scripts(folder.path, { a: passes, b: fails, c: failsTwice }) });
  assert.deepEqual(counts, { passed: 7, failed: 2, skipped: 0 });
  assert.match(text, /== failed in one: \S+\/b\nbecause of this\n/);
  assert.match(text, /== failed in one: \S+\/c\nbecause of this\n/);
  assert.doesNotMatch(text, /unstable/);
});

test("runSuites() fails where more than three units are unstable", async () => {
  using folder = tempFolder();
  const three = await run({ one: scripts(folder.path, { a: failsOnce, b: failsOnce, c: failsOnce }) });
  assert.deepEqual(three.counts, { passed: 9, failed: 0, skipped: 0 });
  const units = { d: failsOnce, e: failsOnce, f: failsOnce, g: failsOnce };
  const four = await run({ one: scripts(folder.path, units) });
  assert.deepEqual(four.counts, { passed: 12, failed: 4, skipped: 0 });
  assert.match(four.text, /^failed: 4 are unstable, more than 3$/m);
});

test("runSuites() counts a unit that crashes, finds no test, cannot be started or takes too long as failed", async () => {
  using folder = tempFolder();
  const rows: Record<string, string> = {
    crashes: `${passes}; kill -SEGV $$`,
    "finds no test": "echo 0 passed, 0 failed",
    "says nothing": ":",
  };
  for (const [name, text] of Object.entries(rows)) {
    const { counts } = await run({ one: scripts(folder.path, { a: text }) });
    assert.equal(counts.failed, 1, name);
  }
  const missing = { ...scripts(folder.path, { a: passes }), command: [`${folder.path}/missing`] };
  assert.equal((await run({ one: missing })).counts.failed, 1);
  // Its child holds the pipe, and would for ever: it must end with it.
  const hangs = scripts(folder.path, { a: "sleep 1000 & sleep 1000" });
  const { counts, text } = await run({ one: hangs }, { longestMs: 300 });
  assert.equal(counts.failed, 1);
  assert.match(text, /killed, since it takes longer than 0\.005 minutes/);
});

test("runSuites() gives a suite the variables that it names", async () => {
  using folder = tempFolder();
  const suite = scripts(folder.path, { a: `[ "$FD3_LAB_ROOT" = /nowhere ] && ${passes}` });
  const { counts } = await run({ one: { ...suite, environment: { FD3_LAB_ROOT: "/nowhere" } } });
  assert.deepEqual(counts, { passed: 3, failed: 0, skipped: 0 });
});

test("runSuites() fails or skips a suite that cannot run, and says why", async () => {
  using folder = tempFolder();
  const one = { ...scripts(folder.path, { a: passes }), obstacle: "there is no systemd here" };
  const strict = await run({ one });
  assert.deepEqual(strict.counts, { passed: 0, failed: 1, skipped: 0 });
  assert.match(strict.text, /^== one failed: there is no systemd here$/m);
  const lax = await run({ one }, { isStrict: false });
  assert.deepEqual(lax.counts, { passed: 0, failed: 0, skipped: 1 });
});

/** Two tests, of which one fails the first time. */
const flaky = `import { existsSync, writeFileSync } from "node:fs";
import { test } from "node:test";
test("passes", () => {});
test("fails once", () => {
  if (existsSync(RAN)) return;
  writeFileSync(RAN, "");
  throw new Error("the first time");
});
`;

/** The suites that have a runner of their own. */
const runners = ["deno", "bun", "node20", "node22", "node24", "node26"];

/** Files for the runner of a suite. */
function files(own: string, folder: string, texts: Readonly<Record<string, string>>): Suite {
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }\n');
  const units = Object.entries(texts).map(([name, text]) => {
    const path = `${folder}/${name}_test.ts`;
    writeFileSync(path, text.replaceAll("RAN", JSON.stringify(`${folder}/${name}.ran`)));
    return [path];
  });
  return { ...suites[own](), units };
}

for (const own of runners) {
  test(`runSuites() reads what the runner of ${own} says of tests that pass, fail once or always, crash, and cannot be loaded`, async () => {
    using folder = tempFolder();
    const body = (statement: string) =>
      `import process from "node:process";\nimport { test } from "node:test";\ntest("it", () => { ${statement} });\n`;
    const one = files(own, folder.path, {
      once: flaky,
      always: body('throw new Error("every time")'),
      crashes: body('process.kill(process.pid, "SIGKILL")'),
      broken: 'throw new Error("not a program");\n',
    });
    const { counts, text } = await run({ one });
    assert.deepEqual(counts, { passed: 2, failed: 3, skipped: 0 }, text);
    assert.match(text, /== failed in one: \S+always_test.ts\n[^]*every time/);
    assert.match(text, /== failed in one: \S+crashes_test.ts\n/);
    assert.match(text, /== failed in one: \S+broken_test.ts\n[^]*not a program/);
    const [, list] = text.split("== unstable");
    assert.match(list, /once_test.ts\n[^]*the first time/);
    assert.doesNotMatch(list, /always_test|crashes_test|broken_test/);
  });

  test(`runSuites() ends a test that hangs in the runner of ${own}`, async () => {
    using folder = tempFolder();
    const hangs =
      'import { test } from "node:test";\ntest("it", () => new Promise(() => setInterval(() => {}, 1000)));\n';
    const { counts, text } = await run({ one: files(own, folder.path, { hangs }) }, { longestMs: 3000 });
    assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 }, text);
    assert.match(text, /killed, since it takes longer than 0\.05 minutes/);
  });
}

test("outcomeOf() has what a runner printed last for one that died without a word about tests", () => {
  const output = `${"x".repeat(5000)}Segmentation fault`;
  for (const summary of [nodeSummary, denoSummary, bunSummary, packageSummary]) {
    const { details, ...counts } = outcomeOf(output, null, summary);
    assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
    assert.equal(details, output.slice(-4000));
  }
});

test("outcomeOf() reads what each runner says", () => {
  const rows: [string, Summary, string][] = [
    ["Node", nodeSummary, "ℹ pass 5\nℹ fail 1\nℹ cancelled 1\nℹ skipped 2\n\n✖ failing tests:\nwhy"],
    ["Deno", denoSummary, " ERRORS \nwhy\nFAILED | 5 passed (3 steps) | 2 failed | 2 ignored (1s)\n"],
    ["Bun", bunSummary, "why\n(fail) it\n\n 5 pass\n 2 skip\n 2 fail\n"],
  ];
  for (const [name, summary, output] of rows) {
    const { details, ...counts } = outcomeOf(output, 1, summary);
    assert.deepEqual(counts, { passed: 5, failed: 2, skipped: 2 }, name);
    assert.match(details, /why/, name);
    // It says that all is well, and dies.
    const passed = output.replace(/fail 1|2 failed|2 fail$/m, (text) => text.replace(/\d/, "0")).replace(
      "cancelled 1",
      "",
    );
    assert.equal(outcomeOf(passed, 0, summary).failed, 0, name);
    assert.equal(outcomeOf(passed, null, summary).failed, 1, name);
  }
});

test("each file of tests is in a suite", () => {
  const units = new Set(Object.values(suites).flatMap((make) => make().units.map(([file]) => file)));
  const files = readdirSync(`${root}test`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("_test.ts") && !file.includes("node_modules"));
  assert.deepEqual(files.map((file) => `./test/${file}`).filter((file) => !units.has(file)), []);
});

test("each suite has units", () => {
  for (const [name, make] of Object.entries(suites)) {
    for (const unit of make().units) assert.ok(unit.every((file) => existsSync(`${root}${file}`)), name);
  }
});
