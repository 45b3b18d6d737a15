import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { commandFor } from "../../examples/activator/command.ts";
import { runtimeText } from "../../examples/activator/host.ts";
import { askFromElsewhere, readProc, root, until, Walk } from "./fixtures/walk.ts";

/** A test that starts the example, once or more. Whatever becomes of it, nothing of that stays behind. */
function walkTest(name: string, body: (start: (command?: string[]) => Walk) => Promise<void>): void {
  test(name, { timeout: 60_000 }, async () => {
    const walks: Walk[] = [];
    try {
      await body((command) => {
        walks.push(new Walk(command));
        return walks.at(-1)!;
      });
    } finally {
      for (const walk of walks) await walk.dispose();
    }
  });
}

/** Ended well, and nothing is left of it. */
async function assertEnded(walk: Walk, status = 0): Promise<void> {
  assert.equal(await walk.exit, status, walk.stderr);
  await until(() => walk.processes().length === 0, () => `the end of ${walk.processes()}`);
  assert.deepEqual(walk.leftFolders(), []);
}

/** The inode of the listener at a path. Its accepted connections have that path too. */
function inodeOf(path: string): string {
  const lines = readFileSync("/proc/net/unix", "utf8").split("\n").map((line) => line.trim().split(/\s+/));
  const [, , , , , , inode] = lines.find((fields) => fields[3] === "00010000" && fields[7] === path)!;
  return inode;
}

walkTest("the lines of a pipe come back, and nothing is left", async (start) => {
  const walk = start();
  walk.type("hello world\nagain\n");
  walk.endInput();
  await assertEnded(walk);
  assert.equal(walk.stdout, "hello world\nagain\n");
  assert.match(walk.stderr, /foobard is not running yet/);
  assert.ok(walk.stderr.includes(`The activator runs on ${runtimeText()} `), walk.stderr);
  assert.match(
    walk.stderr,
    /foobard starts as PID (\d+), with LISTEN_PID=\1 LISTEN_FDS=1 LISTEN_FDNAMES=foobar\.socket\n/,
  );
});

walkTest("foobard is that PID, on this runtime, and has the socket as its descriptor 3", async (start) => {
  const walk = start();
  const path = await walk.path();
  walk.type("one\n");
  await walk.cameBack("one\n");
  const pid = await walk.servicePid();
  // The kernel shows the environment that the process began with.
  const environment = readProc(pid, "environ").split("\0").filter((entry) => entry.startsWith("LISTEN_")).sort();
  assert.deepEqual(environment, ["LISTEN_FDNAMES=foobar.socket", "LISTEN_FDS=1", `LISTEN_PID=${pid}`]);
  assert.equal(readlinkSync(`/proc/${pid}/fd/3`), `socket:[${inodeOf(path)}]`);
  assert.equal(readlinkSync(`/proc/${pid}/exe`), readlinkSync("/proc/self/exe"));
  assert.match(readProc(pid, "cmdline"), /foobard\.ts/);
  walk.endInput();
  await assertEnded(walk);
});

walkTest("the order of many lines is kept", async (start) => {
  const walk = start();
  const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join("");
  walk.type(lines);
  walk.endInput();
  await assertEnded(walk);
  assert.ok(walk.stdout === lines, `${walk.stdout.length} of ${lines.length}`);
});

walkTest("without a line, foobard is never started", async (start) => {
  const walk = start();
  walk.endInput();
  await assertEnded(walk);
  assert.equal(walk.stdout, "");
  assert.match(walk.stderr, /not running yet/);
  assert.doesNotMatch(walk.stderr, /starts as PID/);
});

walkTest("a connection from elsewhere starts it, and lines go to the same one", async (start) => {
  const walk = start();
  assert.equal(await askFromElsewhere(await walk.path(), "elsewhere"), "elsewhere");
  const pid = await walk.servicePid();
  walk.type("here\n");
  await walk.cameBack("here\n");
  assert.equal(await walk.servicePid(), pid);
  walk.endInput();
  await assertEnded(walk);
});

walkTest("a foobard that somebody killed is started again by the next line", async (start) => {
  const walk = start();
  walk.type("one\n");
  await walk.cameBack("one\n");
  process.kill(await walk.servicePid(), "SIGKILL");
  await walk.told(/(foobard ended by SIGKILL)/);
  await walk.told(/(The connection is gone)/);
  walk.type("two\n");
  await walk.servicePid(2);
  await walk.cameBack("one\ntwo\n");
  walk.endInput();
  await assertEnded(walk);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  walkTest(`${signal} ends it while it waits and while foobard runs`, async (start) => {
    const waiting = start();
    const serving = start();
    await waiting.path();
    serving.type("one\n");
    await serving.cameBack("one\n");
    const before = performance.now();
    for (const walk of [waiting, serving]) walk.signal(signal);
    await assertEnded(waiting);
    await assertEnded(serving);
    assert.ok(performance.now() - before < 4800, "foobard waited for a client that is gone");
  });
}

/** utime and stime of proc(5), in ticks of 10 ms. */
function ticks(pid: number): number {
  const fields = readProc(pid, "stat").replace(/^.*\)/s, "").trim().split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

walkTest("it takes no processor time while it waits", async (start) => {
  const walk = start();
  await walk.path();
  await until(() => walk.processes().length >= 2, () => "the process that waits");
  // A runtime has things to do after it started, so one quiet second out of some is asked for. Polling leaves none.
  const used: number[] = [];
  while (used.length < 8 && !used.some((sum) => sum <= 3)) {
    const processes = walk.processes();
    const before = processes.map(ticks);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    used.push(processes.reduce((sum, pid, i) => sum + ticks(pid) - before[i], 0));
  }
  assert.ok(used.at(-1)! <= 3, `ticks in each second: ${used}`);
  walk.endInput();
  await assertEnded(walk);
});

walkTest("when the activator is killed, what waits for it ends as well", async (start) => {
  const walk = start();
  await walk.path();
  await until(() => walk.processes().length >= 2, () => "the process that waits");
  walk.signal("SIGKILL");
  await until(() => walk.processes().length === 0, () => `the end of ${walk.processes()}`);
});

walkTest("the scripts of package.json stay on the runtime that runs them", async (start) => {
  const walk = start(["/bin/sh", fileURLToPath(new URL("examples/run.sh", root)), "example"]);
  walk.type("one\n");
  walk.endInput();
  await assertEnded(walk);
  assert.equal(walk.stdout, "one\n");
  assert.ok(walk.stderr.includes(`The activator runs on ${runtimeText()} `), walk.stderr);
});

walkTest("an unknown example is an error that lists those there are", async (start) => {
  const walk = start(commandFor(new URL("examples/run.ts", root), ["-A"]).concat("exampel"));
  await assertEnded(walk, 1);
  assert.match(walk.stderr, /^There is no example "exampel": .*\bexample, foobard\b/);
});

walkTest("a foobard that fails to start is an error, with what it said", async (start) => {
  const copy = mkdtempSync(join(tmpdir(), "fd3-copy-"));
  try {
    for (const name of ["mod.ts", "src", "runtimes", "examples", "package.json", "deno.json"]) {
      cpSync(new URL(name, root), join(copy, name), { recursive: true });
    }
    symlinkSync(new URL("node_modules", root), join(copy, "node_modules"));
    const broken = 'import process from "node:process";\nconsole.error("no foobar today");\nprocess.exit(3);\n';
    writeFileSync(join(copy, "examples/foobard.ts"), broken);
    const walk = start(commandFor(pathToFileURL(join(copy, "examples/run.ts")), ["-A"]).concat("example"));
    walk.type("one\n");
    await assertEnded(walk, 1);
    assert.match(walk.stderr, /no foobar today\n/);
    assert.match(walk.stderr, /foobard ended with status 3/);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
