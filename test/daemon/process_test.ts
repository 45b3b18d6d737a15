import assert from "node:assert/strict";
import { test } from "node:test";
import { echoes, open } from "../fixtures/client.ts";
import { ask, getRequest, openRaw } from "../fixtures/http_client.ts";
import { withLives, withLoner } from "../fixtures/lives.ts";
import { runtime } from "../fixtures/runtime.ts";

/** What comes when a daemon has ended with its cleanups. */
const cleanups = /cleanup: third\ncleanup: second\n(?:A cleanup failed[^]*)?cleanup: first\n/;

for (const transport of ["unix", "tcp"] as const) {
  test(`daemon() is ready, serves, and drains on SIGTERM (${runtime}, ${transport})`, async () => {
    await withLives({ transport }, async (life, way) => {
      await life.hears(/^READY=1/);
      assert.equal(await ask(life.held.target), "200 Hello");
      // Both come a moment after READY=1, and not at all if it stops before.
      await life.says("fd3: serving on");
      await life.hears(/STATUS=Serving/);
      const slow = await openRaw(life.held.target);
      slow.socket.write(getRequest("/slow?3000"));
      await life.says("slow began");
      const ended = life.terminate();
      await life.hears(/^STOPPING=1$/);
      assert.match(await slow.ended, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*slow and whole/i);
      assert.equal(await ended, 0, `${way.name}: ${life.stderr()}`);
      const told = life.told();
      assert.ok(told.join("\n").includes("READY=1") && told.join("\n").includes("STATUS=Serving"), told.join());
      const stopping = told.indexOf("STOPPING=1");
      assert.ok(told.findIndex((text) => text.startsWith("READY=1")) < stopping, told.join());
      assert.ok(told.slice(stopping + 1).length > 0, told.join());
      for (const text of told.slice(stopping + 1)) assert.equal(text, "EXTEND_TIMEOUT_USEC=5000000");
      assert.match(life.stderr(), /slow began\naborted\n/);
      assert.match(life.stderr(), cleanups);
    });
  });
}

test(`daemon() drains a listener's connections (${runtime})`, async () => {
  await withLives({ mode: "echo", options: { drainTimeout: 3000 } }, async (life, way) => {
    await life.hears(/^READY=1/);
    const [good, endless] = [await open(life.held.target), await open(life.held.target)];
    await echoes(good, "before");
    await echoes(endless, "me too");
    const ended = life.terminate();
    await life.says("aborted");
    await echoes(good, "while it stops");
    good.end();
    await life.hears(/^STOPPING=1$/);
    endless.on("error", () => {});
    assert.equal(await ended, 0, `${way.name}: ${life.stderr()}`);
    assert.match(life.stderr(), cleanups);
    endless.destroy();
  });
});

test(`daemon() ends at once on a second signal (${runtime})`, async () => {
  for (const [name, status] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    await withLives({}, async (life, way) => {
      await life.hears(/^READY=1/);
      const slow = await openRaw(life.held.target);
      slow.socket.write(getRequest("/slow?60000"));
      await life.says("slow began");
      life.signal("SIGTERM");
      await life.hears(/^STOPPING=1$/);
      life.signal(name);
      assert.equal(await life.exited, status, `${way.name}: ${life.stderr()}`);
      assert.doesNotMatch(life.stderr(), /cleanup/);
    });
  }
});

test(`daemon() reloads on SIGHUP, and keeps the old configuration if that fails (${runtime})`, async () => {
  await withLives({}, async (life, way) => {
    await life.hears(/^READY=1/);
    const count = (what: RegExp) => life.told().filter((text) => what.test(text)).length;
    life.signal("SIGHUP");
    await life.says("reload 1 ended");
    assert.equal(await ask(life.held.target), "200 Hello 1", way.name);
    life.signal("SIGHUP");
    await life.hears(/^READY=1\nSTATUS=Cannot reload, the old configuration is kept: the configuration is broken$/);
    assert.equal(await ask(life.held.target), "200 Hello 1", way.name);
    life.signal("SIGHUP");
    await life.says("reload 3 began");
    life.signal("SIGHUP");
    await life.says("reload 4 ended");
    assert.ok(life.stderr().indexOf("reload 3 ended") < life.stderr().indexOf("reload 4 began"), life.stderr());
    assert.equal(await ask(life.held.target), "200 Hello 4", way.name);
    assert.equal(await life.terminate(), 0, `${way.name}: ${life.stderr()}`);
    assert.equal(count(/^RELOADING=1/), 4, `${way.name}: ${life.told()}`);
    // Without a clock, fd3 says so and leaves it out.
    const times = life.told().filter((text) => /^RELOADING=1\nMONOTONIC_USEC=\d+$/.test(text)).length;
    assert.equal(times, way.ffi || runtime !== "Deno" ? 4 : 0, `${way.name}: ${life.told()}`);
    assert.match(life.stderr(), /Cannot reload: [^]*the configuration is broken/);
  });
});

test(`daemon() ignores SIGHUP where there is nothing to reload (${runtime})`, async () => {
  await withLives({ mode: "plain" }, async (life, way) => {
    await life.hears(/^READY=1/);
    life.signal("SIGHUP");
    await life.hears(/^RELOADING=1/);
    assert.equal(await ask(life.held.target), "200 Hello");
    assert.equal(await life.terminate(), 0, `${way.name}: ${life.stderr()}`);
  });
});

test(`daemon() says why it cannot start (${runtime})`, async () => {
  await withLives({ mode: "fail" }, async (life, way) => {
    assert.equal(await life.exited, 1, `${way.name}: ${life.stderr()}`);
    assert.ok(
      life.told().includes("STOPPING=1\nSTATUS=Cannot start: the database is away for good\nERRNO=ECONNREFUSED"),
      `${way.name}: ${life.told().join("\n")}`,
    );
    assert.match(life.stderr(), /Cannot start: [^]*the database is away/);
    assert.match(life.stderr(), cleanups);
  });
});

for (const kind of ["rejected", "thrown"]) {
  test(`daemon() stops when an error is ${kind} and nobody handles it (${runtime})`, async () => {
    await withLives({}, async (life, way) => {
      await life.hears(/^READY=1/);
      const slow = ask(life.held.target, { path: "/slow?500" });
      await life.says("slow began");
      assert.match(await ask(life.held.target, { path: `/${kind}` }), /^200 told/);
      assert.equal(await slow, "200 slow and whole", way.name);
      assert.equal(await life.exited, 1, `${way.name}: ${life.stderr()}`);
      await life.hears(/^STOPPING=1\nSTATUS=Unhandled error: nobody (?:handles|catches) this$/);
      assert.match(life.stderr(), /Unhandled error: [^]*nobody (?:handles|catches) this[^]*life\.[jt]s/);
      assert.match(life.stderr(), cleanups);
    });
  });
}

test(`daemon() runs the other cleanups when one fails (${runtime})`, async () => {
  await withLives({ mode: "cleanup" }, async (life, way) => {
    await life.hears(/^READY=1/);
    assert.equal(await life.terminate(), 1, `${way.name}: ${life.stderr()}`);
    assert.match(life.stderr(), /A cleanup failed: [^]*a cleanup that fails/);
    assert.match(life.stderr(), cleanups);
  });
});

test(`daemon() stops while it starts (${runtime})`, async () => {
  await withLives({ mode: "late" }, async (life, way) => {
    await life.hears(/^STATUS=Serving$/);
    assert.equal(await life.terminate(), 0, `${way.name}: ${life.stderr()}`);
    assert.ok(!life.told().some((text) => text.startsWith("READY=1")), `${way.name}: ${life.told()}`);
    assert.match(life.stderr(), cleanups);
  });
});

test(`daemon() works the same where nobody listens (${runtime})`, async () => {
  await withLoner({}, async (life, way) => {
    await life.says("set up");
    assert.equal(await ask(life.held.target), "200 Hello");
    life.signal("SIGHUP");
    await life.says("reload 1 ended");
    assert.equal(await ask(life.held.target), "200 Hello 1");
    assert.equal(await life.terminate(), 0, life.stderr());
    const engine = { Deno: way.ffi ? "deno-serve" : "node-http", Bun: "bun-serve", Node: "node-http" }[runtime];
    const path = runtime === "Deno" && !way.ffi ? "a Unix socket" : (life.held.target as { path: string }).path;
    const serving = `fd3: serving on ${path} (${engine}, inherited)\n`;
    const lines = "reload 1 began\nreload 1 ended\naborted\ncleanup: third\ncleanup: second\ncleanup: first\n";
    assert.equal(life.stderr(), `set up\n${serving}${lines}`, way.name);
  });
});

test(`daemon() pings the watchdog while it serves and while it drains (${runtime})`, async () => {
  await withLives({ env: { WATCHDOG_USEC: "400000" } }, async (life, way) => {
    await life.hears(/^WATCHDOG=1$/);
    const slow = ask(life.held.target, { path: "/slow?3000" });
    await life.says("slow began");
    const ended = life.terminate();
    await life.hears(/^STOPPING=1$/);
    assert.equal(await slow, "200 slow and whole");
    assert.equal(await ended, 0, `${way.name}: ${life.stderr()}`);
    const told = life.told();
    const at = (text: string) => told.findIndex((one) => one.startsWith(text));
    assert.ok(at("READY=1") < at("WATCHDOG=1"), told.join());
    assert.ok(told.slice(at("STOPPING=1")).filter((text) => text === "WATCHDOG=1").length >= 2, told.join());
  });
});
