import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, getRequest, openRaw } from "./fixtures/http_client.ts";
import { withLives } from "./fixtures/lives.ts";
import { runtime } from "./fixtures/runtime.ts";

for (const transport of ["unix", "tcp"] as const) {
  test(`daemon() is ready, serves, and drains on SIGTERM (${runtime}, ${transport})`, async () => {
    await withLives({ transport }, async (life, way) => {
      await life.hears("READY=1\nSTATUS=Serving");
      assert.equal(await ask(life.held.target), "200 Hello");
      const slow = await openRaw(life.held.target);
      slow.socket.write(getRequest("/slow?1500"));
      await life.says("slow began");
      const later = life.terminate();
      await life.hears("STOPPING=1");
      assert.match(await slow.ended, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*slow and whole/i);
      assert.equal(await later, 0, `${way.name}: ${life.stderr()}`);
      const told = life.told();
      assert.deepEqual(told.slice(0, 2), ["READY=1\nSTATUS=Serving", "STOPPING=1"]);
      assert.ok(told.slice(2).includes("EXTEND_TIMEOUT_USEC=5000000"), told.join());
      assert.match(life.stderr(), /set up\nslow began\naborted\ncleanup: third\ncleanup: second\ncleanup: first\n$/);
    });
  });
}
