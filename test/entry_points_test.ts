// Each entry point is for one runtime, and loads on all of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as mod from "../mod.ts";
import * as bun from "../runtimes/bun.ts";
import * as deno from "../runtimes/deno.ts";
import * as node from "../runtimes/node.ts";
import type { Fd3ErrorCode } from "../mod.ts";
import { runtime } from "./fixtures/runtime.ts";

const entryPoints = { Deno: deno, Bun: bun, Node: node };

/** What each function says that it cannot do. */
const actions: Record<string, string> = {
  args: "read the command line",
  attach: "attach",
  barrier: "notify the service manager",
  booted: "look for systemd",
  capabilities: "notify the service manager",
  credential: "read a credential",
  daemon: "start the daemon",
  directories: "list directories",
  dropFd: "notify the service manager",
  exit: "exit",
  listen: "listen",
  listenFds: "list the descriptors",
  log: "log",
  notify: "notify the service manager",
  removeFd: "notify the service manager",
  serve: "serve",
  storeFd: "notify the service manager",
  takeFd: "take a descriptor",
  terminated: "wait for signals",
  unclaimedFds: "list the descriptors",
  watchdog: "notify the service manager",
};

/** Those that give a promise: it rejects. */
const asynchronous = [
  ...["attach", "barrier", "capabilities", "daemon", "dropFd", "listen", "listenNative", "notify", "removeFd", "serve"],
  ...["serveNative", "storeFd", "watchdog"],
];

function platformError(text: string): (error: unknown) => boolean {
  return (error) => {
    const { name, code, message } = error as Error & { code: Fd3ErrorCode };
    assert.deepEqual([name, code, message], ["Fd3Error", "ERR_FD3_PLATFORM", text]);
    return true;
  };
}

for (const [owner, functions] of Object.entries(entryPoints)) {
  if (owner === runtime) continue;
  test(`fd3/${owner.toLowerCase()} refuses in each of its functions (${runtime})`, async () => {
    const natives = {
      listenNative: `listen with ${owner}.listen()`,
      serveNative: `serve with ${owner}.serve()`,
    };
    const { Fd3Error: _class, ...calls } = functions as unknown as Record<string, () => unknown>;
    const expected: Record<string, string> = owner === "Node" ? actions : { ...actions, ...natives };
    assert.deepEqual(Object.keys(calls).sort(), Object.keys(expected).sort());
    for (const [name, call] of Object.entries(calls)) {
      const text = `Cannot ${
        expected[name]
      }: fd3/${owner.toLowerCase()} is for ${owner}, and this is ${runtime}; import "fd3"`;
      if (asynchronous.includes(name)) await assert.rejects(call() as Promise<unknown>, platformError(text));
      else assert.throws(call, platformError(text));
    }
  });
}

test(`fd3 is the entry point of this runtime (${runtime})`, () => {
  const own = entryPoints[runtime] as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(mod)) assert.equal(value, own[name], name);
  assert.deepEqual(Object.keys(mod).sort(), ["Fd3Error", ...Object.keys(actions)].sort());
});
