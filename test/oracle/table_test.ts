import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Environment, variables } from "../../src/activation/listen_fds.ts";
import { table } from "../../src/activation/table.ts";
import { Fd3Error } from "../../src/errors.ts";
import { fakeHost, forgetTable } from "../fixtures/fake_host.ts";
import { tcpSocket } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";
import { needsLibrary } from "../fixtures/tools.ts";
import { environments } from "./environments.ts";
import { type Answer, Libsystemd } from "./libsystemd.ts";
import { rowsFor } from "./rows.ts";

const options = needsLibrary("libsystemd", "libsystemd-dev");
const fds = [3, 4, 5, 6, 7, 8];

/** What fd3 does in a process that is like the one that asks libsystemd. */
function ask(pid: number, env: Environment, keepEnv: boolean): Answer {
  const kernel = new FakeKernel();
  for (const fd of fds) kernel.put(fd, tcpSocket(fd, 8000 + fd));
  const host = fakeHost({ pid, libc: kernel.libc, environment: { ...env } as Record<string, string> });
  forgetTable();
  const { result } = table(host, { keepEnv });
  forgetTable();
  const passed = result instanceof Fd3Error ? [] : result;
  assert.deepEqual(passed.map(({ fd }) => fd), fds.slice(0, passed.length));
  return {
    result: result instanceof Fd3Error ? result.code : result.length,
    names: passed.map(({ name }) => name),
    cloexec: fds.filter((fd) => kernel.cloexecAt(fd)),
    left: variables.filter((variable) => host.env(variable) !== undefined),
  };
}

/** In one order: fd3 lists the variables as it reads them. */
const sorted = (answer: Answer): Answer => ({ ...answer, left: [...answer.left].sort() });

async function agreed(
  libsystemd: Libsystemd,
  env: Environment,
  keepEnv: boolean,
  what = "a random environment",
): Promise<Answer> {
  const theirs = sorted(await libsystemd.ask(env, keepEnv));
  const ours = sorted(ask(libsystemd.pid, env, keepEnv));
  assert.deepEqual(
    ours,
    theirs,
    `fd3 and libsystemd differ in ${what}: ${JSON.stringify({ env, keepEnv, ours, theirs })}`,
  );
  return theirs;
}

test("table() does what libsystemd does in each row of the oracle (L1 to L18)", options, async () => {
  await using libsystemd = new Libsystemd();
  for (const [id, env, expected] of rowsFor(libsystemd.pid)) {
    for (const keepEnv of [false, true]) {
      const { result, names, left } = await agreed(libsystemd, env, keepEnv, id);
      assert.deepEqual(typeof expected === "string" ? result : names, expected, id);
      assert.deepEqual(left, keepEnv ? Object.keys(env).sort() : [], id);
    }
  }
});

/**
 * Since glibc 2.38 strtol(3) knows the binary prefix of C23, so that a libsystemd built with it takes 0b behind a sign, a \v, a
 * \f or another 0b. fd3 refuses these on every system, as libsystemd 252 does on glibc 2.36.
 */
async function comparable(libsystemd: Libsystemd): Promise<(number: string) => boolean> {
  const { result } = await libsystemd.ask({ LISTEN_PID: String(libsystemd.pid), LISTEN_FDS: "+0b1" }, false);
  if (result === "EINVAL") return () => true;
  return (number) => !/0b/i.test(number.replace(/^[ \t\n\r]*(0b)?/i, ""));
}

test("table() does what libsystemd does in 1,000 random environments", options, async () => {
  await using libsystemd = new Libsystemd();
  const seen = new Map<string, number>();
  const random = environments(libsystemd.pid, await comparable(libsystemd));
  const property = fc.asyncProperty(random, fc.boolean(), async (env, keepEnv) => {
    const { result } = await agreed(libsystemd, env, keepEnv);
    const kind = typeof result === "string" ? result : result > 0 ? "descriptors" : "none";
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
  });
  await fc.assert(property, { numRuns: 1000 });
  for (const kind of ["descriptors", "none", "EINVAL", "ERANGE", "EBADF"]) {
    assert.ok(seen.has(kind), `none gave ${kind}`);
  }
});
