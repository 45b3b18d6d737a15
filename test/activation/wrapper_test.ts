import assert from "node:assert/strict";
import { test } from "node:test";
import type { Environment } from "../../src/activation/listen_fds.ts";
import { explainNothing } from "../../src/activation/wrapper.ts";
import { fakeHost } from "../fixtures/fake_host.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";

const nothing: readonly (readonly [env: Environment, why: string | undefined])[] = [
  [{}, undefined],
  [{ LISTEN_FDNAMES: "a" }, undefined],
  [{ LISTEN_FDS: "1" }, "LISTEN_FDS is set and LISTEN_PID is not"],
  [{ LISTEN_PID: "1234" }, "LISTEN_PID is set and LISTEN_FDS is not"],
  [{ LISTEN_PID: "1234", LISTEN_FDS: "1", LISTEN_PIDFDID: "5" }, "LISTEN_PIDFDID=5 is not this process"],
  [{ LISTEN_PID: "77", LISTEN_FDS: "1" }, "LISTEN_PID=77 is not this process (1234)"],
];

for (const [env, why] of nothing) {
  test(`explainNothing() returns ${why} for ${JSON.stringify(env)}`, () => {
    assert.equal(explainNothing(env, fakeHost()), why);
  });
}

const npm = "npm; npm keeps the descriptors: let ExecStart= call the runtime itself";
const npx = "npx; npx keeps the descriptors: let ExecStart= call the runtime itself";
const shell = "a shell; put exec before the command, or let ExecStart= call the runtime itself";
const tsx = "tsx; tsx starts a child: use node --import tsx";
const task = "deno task; deno task starts a child: use deno run";
const bun = "bun run; bun run starts a child: use bun and the file";
const init = "an init starts a child: run the container without one (--init=false)";
const watcher = "a watcher; a watcher starts a child: start the runtime without --watch";
const nodemon = "a watcher starts a child: let ExecStart= call the runtime itself";
const other = "let ExecStart= call the runtime itself";

const wrappers: readonly (readonly [commandLine: string, who: string])[] = [
  ["npm start", npm],
  ["npm run serve", npm],
  ["node /usr/bin/npm start", npm],
  ["/usr/bin/node /usr/lib/node_modules/npm/bin/npm-cli.js start", npm],
  ["npm exec foo", npx],
  ["npx foo", npx],
  ["node /usr/bin/npx foo", npx],
  ["/usr/bin/node /usr/lib/node_modules/npm/bin/npx-cli.js foo", npx],
  ["/bin/sh -c node x.js; true", shell],
  ["sh run.sh", shell],
  ["/bin/bash -c deno run -A x.ts; true", shell],
  ["dash", shell],
  ["node /app/node_modules/.bin/tsx x.ts", tsx],
  ["node /app/node_modules/tsx/dist/cli.mjs x.ts", tsx],
  ["deno task start", task],
  ["/usr/bin/deno -q task start", task],
  ["bun run start", bun],
  ["/root/.bun/bin/bun --silent run start", bun],
  ["timeout 5 node x.js", "timeout; timeout starts a child: let RuntimeMaxSec= of the unit do that"],
  ["/usr/bin/tini -- node x.js", `the container's init; ${init}`],
  ["/run/podman-init -- node x.js", `the container's init; ${init}`],
  ["sudo -u web node x.js", "a change of the user; let User= of the unit do that"],
  ["node /usr/bin/nodemon x.js", `nodemon; ${nodemon}`],
  ["/app/node_modules/.bin/nodemon --exec node x.js", `nodemon; ${nodemon}`],
  ["node --watch x.js", watcher],
  ["/usr/bin/deno run -A --watch x.ts", watcher],
  ["/usr/bin/supervise --now", `/usr/bin/supervise --now; ${other}`],
  [`/opt/${"long".repeat(30)}`, `/opt/${"long".repeat(30).slice(0, 75)}; ${other}`],
  ["/usr/bin/npmfoo", `/usr/bin/npmfoo; ${other}`],
  ["node --import tsx x.ts", `node --import tsx x.ts; ${other}`],
  ["", `another program; ${other}`],
];

/** /proc where 1234 is the child of 50, and that the child of 40, whose command line this is. */
const proc = (commandLine: string): Record<string, string> => ({
  "/proc/50/stat": "50 (a) b) (c) S 40 50 50 0 -1 4194560",
  "/proc/40/stat": "40 (x) S 1 40 40 0 -1 4194560",
  "/proc/40/cmdline": commandLine === "" ? "" : `${commandLine.replaceAll(" ", "\0")}\0`,
});

for (const [commandLine, who] of wrappers) {
  test(`explainNothing() says what ${JSON.stringify(commandLine.slice(0, 60))} does between`, () => {
    const files = proc(commandLine);
    const host = fakeHost({ parentPid: 50, readProc: (path) => files[path] });
    const expected = `LISTEN_PID=40 is not this process (1234) but its parent, ${who}`;
    assert.equal(explainNothing({ LISTEN_PID: "40", LISTEN_FDS: "1" }, host), expected);
  });
}

const env = { LISTEN_PID: "40", LISTEN_FDS: "1" };
const notThis = "LISTEN_PID=40 is not this process (1234)";

test("explainNothing() reads /proc through libc where there is one", () => {
  const kernel = new FakeKernel();
  Object.assign(kernel.proc, proc("npm start"));
  assert.equal(
    explainNothing(env, fakeHost({ parentPid: 50, libc: kernel.libc })),
    `${notThis} but its parent, ${npm}`,
  );
  assert.deepEqual(kernel.snapshot(), []);
});

test("explainNothing() looks as far as PID 1, which an init of a container is", () => {
  const files: Record<string, string> = {
    "/proc/1/stat": "1 (tini) S 0 1 1",
    "/proc/1/cmdline": "tini\0--\0node\0x.js\0",
  };
  const host = fakeHost({ parentPid: 1, readProc: (path) => files[path] });
  const expected = `LISTEN_PID=1 is not this process (1234) but its parent, the container's init; ${init}`;
  assert.equal(explainNothing({ LISTEN_PID: "1", LISTEN_FDS: "1" }, host), expected);
});

const fork = "the same program; a fork or a worker of node:cluster gets none: call fd3 in the first process";
const sameOrNot: readonly (readonly [parent: string, own: string, who: string])[] = [
  ["node /srv/app.js", "/usr/bin/node /srv/app.js worker", fork],
  // fork() gives the child the whole path.
  ["node app.js", "/usr/bin/node /srv/app.js", fork],
  ["node ./dist/app.js", "/usr/bin/node /srv/dist/app.js", fork],
  ["node b/app.js", "/usr/bin/node /srv/dist/app.js", `node b/app.js; ${other}`],
  ["node pp.js", "/usr/bin/node /srv/app.js", `node pp.js; ${other}`],
  ["/usr/bin/supervise app.js", "/usr/bin/node app.js", `/usr/bin/supervise app.js; ${other}`],
  ["/srv/server", "/srv/server", `/srv/server; ${other}`],
];

for (const [parent, own, who] of sameOrNot) {
  test(`explainNothing() says what ${JSON.stringify(parent)} is to ${JSON.stringify(own)}`, () => {
    const files: Record<string, string> = { ...proc(parent), "/proc/self/cmdline": `${own.replaceAll(" ", "\0")}\0` };
    const host = fakeHost({ parentPid: 50, readProc: (path) => files[path] });
    assert.equal(explainNothing(env, host), `${notThis} but its parent, ${who}`);
  });
}

test("explainNothing() does without /proc", () => {
  assert.equal(explainNothing(env, fakeHost({ parentPid: 50 })), notThis);
  assert.equal(
    explainNothing(env, fakeHost({ parentPid: 40 })),
    `${notThis} but its parent, another program; ${other}`,
  );
});

test("explainNothing() ends where /proc shows a circle of parents", () => {
  const host = fakeHost({ parentPid: 50, readProc: () => "50 (a) S 50 50 50" });
  assert.equal(explainNothing(env, host), notThis);
});
