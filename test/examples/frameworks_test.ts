// Frameworks of npm on inherited sockets, each as its example has it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { activate, eventually } from "../fixtures/activate.ts";
import {
  checkAbout,
  checkAll,
  checkHello,
  checkLife,
  frameworks,
  permissionsOf,
  scriptOf,
} from "./fixtures/frameworks.ts";
import { listeningSockets } from "../fixtures/listening.ts";
import { everything, runtime, type Variant } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

const timeout = 120_000;

function deno(permissions: readonly string[]): Variant {
  return { name: "Deno", command: [process.execPath, "run", "-q", "--no-prompt", ...permissions], ffi: true };
}

for (const framework of frameworks) {
  const { not } = framework;
  const script = scriptOf(framework);

  if (not?.on.includes(runtime)) {
    test(`${script} says that it does not run here: ${not.why}`, { timeout }, async () => {
      await using started = activate({ variant: everything, script });
      assert.equal(await started.exited, 1);
      assert.match(started.stderr(), /Cannot serve with Bun\.serve\(\): fd3\/bun is for Bun, and this is /);
    });
    continue;
  }

  test(`${script} serves on an inherited socket, and the next instance after it`, { timeout }, async () => {
    const variant = runtime === "Deno" ? deno(permissionsOf(framework)) : everything;
    using folder = tempFolder();
    using unix = holdUnix(`${folder.path}/s.sk`);
    using tcp = holdTcp();
    for (const check of [checkAll, checkHello]) {
      await Promise.all([unix, tcp].map((held) => checkLife(framework, variant, held, check)));
    }
  });

  if (runtime === "Deno") {
    test(`${script} serves on an inherited socket with no permission but --allow-env`, { timeout }, async () => {
      using tcp = holdTcp();
      await checkLife(framework, deno(["--allow-env"]), tcp, checkAll);
    });
  }

  test(`${script} opens its own socket where it inherits none`, { timeout }, async () => {
    using folder = tempFolder();
    const path = `${folder.path}/own.sk`;
    await using started = activate({ variant: everything, script, args: [path] });
    // Not until the file is there: it is bound before it listens.
    assert.ok(await eventually(() => listeningSockets(started.pid).includes(path)), started.stderr());
    await checkAbout({ framework, started, target: { path }, activated: false });
    assert.equal(await started.terminate(), 0, started.stderr());
    assert.ok(!existsSync(path));
  });
}
