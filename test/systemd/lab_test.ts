import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { boot, type Lab } from "./lab.ts";
import { cgroupOf, cgroups, descendants, eventually, inPidNamespace } from "./lab_traces.ts";

const RUNTIMES = fileURLToPath(new URL("../runtimes/node_modules", import.meta.url));
const LAB_MODULE = new URL("lab.ts", import.meta.url).href;
const NODE = "/opt/runtimes/node24/bin/node";
const ECHO = [
  `console.error("user", process.getuid())`,
  `require("node:net").createServer((c) => c.pipe(c)).listen({ fd: 3 })`,
].join("; ");

let lab: Lab;
let bootMs: number;

before(async () => {
  const start = performance.now();
  lab = await boot({ binds: { [RUNTIMES]: "/opt/runtimes" } });
  bootMs = performance.now() - start;
});

after(() => lab?.stop());

test("boot() gives a running systemd that is PID 1", async (t) => {
  t.diagnostic(`booted in ${bootMs.toFixed(0)} ms`);
  assert.equal(await lab.must(["systemctl", "is-system-running"]), "running\n");
  assert.equal(await lab.must(["cat", "/proc/1/comm"]), "systemd\n");
  assert.equal(readFileSync(`/proc/${lab.pid}/comm`, "utf8"), "systemd\n");
  assert.match(await lab.must(["ip", "-o", "address"]), /lo\s+inet 127\.0\.0\.1.*\n.*lo\s+inet6 ::1/);
});

test("boot() keeps what the lab writes from the host", async () => {
  await lab.must(["touch", "/etc/fd3-lab-was-here", "/tmp/fd3-lab-was-here"]);
  assert.equal(existsSync("/etc/fd3-lab-was-here"), false);
  assert.equal(existsSync("/tmp/fd3-lab-was-here"), false);
  assert.ok(existsSync(`${lab.root}/etc/fd3-lab-was-here`));
  // access(2) tells root EROFS too, and nothing is changed if it is writable after all.
  assert.equal((await lab.run(["test", "-w", "/proc/sys/kernel/panic"])).status, 1);
  assert.equal((await lab.run(["test", "-w", "/opt/runtimes"])).status, 1);
});

test("boot() gives a systemd that starts a sandboxed service on the first connection", async () => {
  lab.writeUnit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7000\nListenStream=/run/echo.sock\n");
  lab.writeUnit(
    "echo.service",
    `[Service]\nDynamicUser=yes\nPrivateNetwork=yes\nExecStart=${NODE} -e '${ECHO}'\n`,
  );
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", "echo.socket"]);
  assert.equal((await lab.run(["systemctl", "is-active", "echo.service"])).stdout, "inactive\n");

  const reply = await lab.must(["socat", "-t5", "-", "TCP:127.0.0.1:7000"], { input: "hello" });

  assert.equal(reply, "hello");
  assert.equal(await lab.must(["systemctl", "is-active", "echo.service"]), "active\n");
  const uid = Number((await lab.journal("echo.service")).match(/^user (\d+)$/m)?.[1]);
  assert.ok(uid >= 61184 && uid <= 65519, `${uid} is not a dynamic user, see systemd.exec(5)`);
});

test("Lab.journal() has what systemd says about a unit", async () => {
  lab.writeUnit("broken.service", "[Service]\nExecStart=/nowhere/to/be/found\n");
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", "broken.service"]);
  while ((await lab.run(["systemctl", "is-failed", "broken.service"])).status !== 0) await sleep(5);
  assert.match(
    await lab.journal("broken.service"),
    /(?:Failed|Unable) to locate executable '?\/nowhere\/to\/be\/found/,
  );
  await lab.must(["systemctl", "reset-failed"]);
});

test("boot() gives a systemd that hears notify messages and misses watchdog ones", async () => {
  const properties = ["--property=NotifyAccess=all", "--property=WatchdogSec=200ms"];
  const unit = ["systemd-run", "--unit=dog", "--service-type=notify", ...properties];
  // systemd-run comes back when READY=1 was heard.
  await lab.must([...unit, "sh", "-c", "systemd-notify --ready; sleep 60"]);
  await eventually(async () => (await lab.journal("dog")).includes("Failed with result 'watchdog'"));
  await lab.must(["systemctl", "reset-failed"]);
});

test("Lab.run() gives the exit status and both outputs", async () => {
  const result = await lab.run(["sh", "-c", "cat; echo err >&2; exit 7"], { input: "in" });
  assert.deepEqual(result, { status: 7, stdout: "in", stderr: "err\n" });
  const killed = await lab.run(["sh", "-c", "kill -TERM $$"]);
  assert.equal(killed.status, null);
});

test("Lab.run() kills a command and its children when the time is over", async () => {
  const script = "echo before; sleep 4242 & sleep 4242";
  await assert.rejects(
    lab.run(["sh", "-c", script], { timeoutMs: 3000 }),
    /^Error: Cannot run "sh -c .*" in the lab: it still runs after 3000 ms\n--- stdout\nbefore\n/,
  );
  await eventually(async () => !(await lab.must(["ps", "ax"])).includes("sleep 4242"));
});

test("Lab.must() throws both outputs if the command fails", async () => {
  await assert.rejects(
    lab.must(["sh", "-c", "echo out; echo err >&2; exit 3"]),
    /its exit status is 3\n--- stdout\nout\n\n--- stderr\nerr\n/,
  );
});

test("Lab.spawn() gives a child whose signals and exit status are the command's", async () => {
  const script = "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done";
  const child = lab.spawn(["sh", "-c", script]);
  let output = "";
  child.stdout?.on("data", (text) => output += text);
  await eventually(() => output.includes("ready"));
  assert.equal(child.kill("SIGTERM"), true);
  assert.deepEqual(await once(child, "close"), [5, null]);
  assert.match(output, /bye/);
  assert.equal(child.kill("SIGTERM"), false);
});

test("boot() rejects and leaves nothing if a unit fails", async () => {
  const units = mkdtempSync(join(tmpdir(), "fd3-lab-test-"));
  const seen = descendants();
  try {
    spawnSync("chmod", ["755", units]);
    writeFileSync(
      join(units, "bad.service"),
      "[Service]\nType=oneshot\nExecStart=sh -c 'echo went wrong >&2; exit 9'\n",
    );
    mkdirSync(join(units, "basic.target.wants"));
    symlinkSync("../bad.service", join(units, "basic.target.wants/bad.service"));
    await assert.rejects(
      boot({ binds: { [units]: "/usr/local/lib/systemd/system" } }),
      (error: Error) => {
        assert.match(error.message, /^Cannot boot a lab: its systemd is degraded\n/);
        assert.match(error.message, /^bad\.service +loaded failed/m);
        assert.match(error.message, /went wrong/);
        assert.match(error.message, /--- console\n[^]*systemd 2\d\d.* running in system mode/);
        return true;
      },
    );
    assert.deepEqual(descendants(), seen);
  } finally {
    rmSync(units, { recursive: true });
  }
});

test("boot() rejects if its root cannot be set up", async () => {
  const seen = descendants();
  await assert.rejects(
    boot({ binds: { [RUNTIMES]: "/dev/null/x" } }),
    /^Error: Cannot boot a lab: its root could not be set up\n--- console\n[^]*mkdir/,
  );
  assert.deepEqual(descendants(), seen);
});

test("boot() rejects a bind that a service could not use", async () => {
  await assert.rejects(boot({ binds: { "/nowhere": "/opt/x" } }), /^TypeError: Cannot bind .*: no such folder/);
  await assert.rejects(boot({ binds: { "opt": "/opt/x" } }), /^TypeError: Cannot bind .*: both must be absolute/);
});

test("Lab.stop() leaves no process, mount or cgroup", async () => {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  const seen = descendants();
  const second = await boot();
  const child = second.spawn(["sleep", "infinity"], "ignore");
  const cgroup = cgroupOf(second.pid);
  const namespace = readlinkSync(`/proc/${second.pid}/ns/pid`);
  assert.deepEqual(readFileSync("/proc/self/mountinfo", "utf8"), mounts);
  assert.ok(cgroups().includes(cgroup));
  // systemd, its journal and the child.
  await eventually(() => inPidNamespace(namespace).length >= 3);

  await second.stop();
  await second.stop();

  assert.ok(child.signalCode ?? child.exitCode);
  assert.deepEqual(readFileSync("/proc/self/mountinfo", "utf8"), mounts);
  assert.ok(!cgroups().includes(cgroup));
  assert.deepEqual(inPidNamespace(namespace), []);
  assert.deepEqual(descendants(), seen);
});

for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"] as const) {
  test(`boot() gives a lab that does not outlive a driver killed by ${signal}`, async () => {
    const driver = startDriver("setInterval(() => {}, 1000)");
    const pid = await labOf(driver);
    const cgroup = cgroupOf(pid);
    driver.kill(signal);
    await eventually(() => !existsSync(`/proc/${pid}`) && !cgroups().includes(cgroup));
  });
}

test("boot() lets a driver exit that forgets to stop the lab", async () => {
  const driver = startDriver("");
  const pid = await labOf(driver);
  const cgroup = cgroupOf(pid);
  await eventually(() => driver.exitCode === 0 && !existsSync(`/proc/${pid}`) && !cgroups().includes(cgroup));
});

/** A process that boots a lab of its own, prints its PID and goes on with `code`. */
function startDriver(code: string): ChildProcess {
  const script = `const { boot } = await import("${LAB_MODULE}"); console.log((await boot()).pid); ${code}`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
}

async function labOf(driver: ChildProcess): Promise<number> {
  const [line] = await once(driver.stdout!, "data");
  return Number(line);
}
