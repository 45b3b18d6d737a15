/** The programs and units of README.md as they stand there, and what it says of units. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, until } from "./clients.ts";
import { boot, type Lab } from "./lab.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(`${project}/README.md`, "utf8");

/** Where the README's units look for each runtime, and where it is. */
const programs = {
  "/usr/bin/node": "test/runtimes/node_modules/node24/bin/node",
  "/usr/bin/bun": "node_modules/bun/bin/bun.exe",
  "/usr/bin/deno": "node_modules/deno/deno",
};

/** The block of code that begins with this line. */
function block(language: string, firstLine: string): string {
  const blocks = readme.split(`\`\`\`${language}\n`).slice(1).map((part) => part.split("```")[0]);
  const found = blocks.find((code) => code.startsWith(`${firstLine}\n`));
  assert.ok(found !== undefined, `README.md has no ${firstLine}`);
  return found;
}

/** The service with one of its ExecStart= lines, some of which are comments. */
function serviceFor(name: string, program: string): string {
  const lines = block("ini", `# /etc/systemd/system/${name}.service`).split("\n");
  const isStart = (line: string) => /^(# )?ExecStart=/.test(line);
  const wanted = lines.find((line) => isStart(line) && line.includes(`=${program} `));
  assert.ok(wanted !== undefined, `${name}.service does not start ${program}`);
  const first = lines.findIndex(isStart);
  return lines.flatMap((line, i) => i === first ? [wanted.replace(/^# /, "")] : isStart(line) ? [] : [line]).join("\n");
}

/** Puts the README's program and units where it says, with fd3 from the project's folder. */
async function install(lab: Lab, name: string, program: string): Promise<void> {
  const folder = `${lab.root}/srv/${name}`;
  mkdirSync(folder, { recursive: true });
  const code = block("ts", `// ${name}.ts`);
  writeFileSync(`${folder}/${name}.ts`, code.replace(/ from "fd3";.*/, ' from "/opt/fd3/mod.ts";'));
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }\n');
  lab.writeUnit(`${name}.socket`, block("ini", `# /etc/systemd/system/${name}.socket`));
  lab.writeUnit(`${name}.service`, serviceFor(name, program));
  await lab.must(["systemctl", "daemon-reload"]);
}

const state = async (lab: Lab, unit: string) =>
  (await lab.must(["systemctl", "show", "--value", "--property=ActiveState", unit])).trim();

async function stop(lab: Lab, name: string): Promise<void> {
  await lab.must(["systemctl", "stop", `${name}.socket`, `${name}.service`], { timeoutMs: 60_000 });
  await lab.run(["systemctl", "reset-failed", `${name}*`]);
}

suite("README.md", { concurrency: 1 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await boot({ binds: { [project]: "/opt/fd3" } });
    for (const [path, file] of Object.entries(programs)) await lab.must(["ln", "-sfn", `/opt/fd3/${file}`, path]);
  });
  after(() => lab?.stop());

  for (const program of Object.keys(programs)) {
    test(`echo starts with its first client on ${program}, and by hand brings its socket`, async () => {
      await install(lab, "echo", program);
      await lab.must(["systemctl", "start", "echo.socket"]);
      assert.equal(await ask(`${lab.root}/run/echo.sk`, "hello", 60_000), "hello");
      await stop(lab, "echo");
      await lab.must(["systemctl", "start", "echo.service"]);
      assert.equal(await state(lab, "echo.socket"), "active");
      assert.equal(await ask(`${lab.root}/run/echo.sk`, "again", 60_000), "again");
      await stop(lab, "echo");
    });

    test(`service is ready, answers and reloads on ${program}`, async () => {
      await install(lab, "service", program);
      await lab.must(["systemctl", "start", "service.service"], { timeoutMs: 60_000 });
      assert.equal(await state(lab, "service.socket"), "active");
      const curl = ["curl", "--silent", "--show-error", "--max-time", "60", "http://127.0.0.1:8080/"];
      assert.equal(await lab.must(curl), "Hello World\n");
      await lab.must(["systemctl", "reload", "service.service"]);
      await until("it has reloaded", async () => await lab.must(curl) === "Hello again\n");
      await stop(lab, "service");
    });
  }

  test("a service that cannot start takes its socket down, and reset-failed brings it back", async () => {
    const [program] = Object.keys(programs);
    await install(lab, "echo", program);
    lab.writeUnit("echo.service.d/test.conf", "[Service]\nExecStartPre=/bin/false\n");
    await lab.must(["systemctl", "daemon-reload"]);
    await lab.must(["systemctl", "start", "echo.socket"]);
    const path = `${lab.root}/run/echo.sk`;
    // Each try is a start that fails, as long as the socket is there; the one client that waits stays in the queue.
    void ask(path, "lost", 60_000).catch(() => {});
    await until("the socket has failed", async () => await state(lab, "echo.socket") === "failed", 60_000);
    await assert.rejects(ask(path, "refused"), /ECONNREFUSED/);
    lab.writeUnit("echo.service.d/test.conf", "");
    await lab.must(["systemctl", "daemon-reload"]);
    await lab.must(["systemctl", "reset-failed", "echo.service", "echo.socket"]);
    await lab.must(["systemctl", "start", "echo.socket"]);
    assert.equal(await ask(path, "hello", 60_000), "hello");
    await stop(lab, "echo");
  });
});
