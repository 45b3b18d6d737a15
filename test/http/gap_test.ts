import assert from "node:assert/strict";
import { test } from "node:test";
import { F_DUPFD_CLOEXEC } from "../../src/linux/constants.ts";
import { activate } from "../fixtures/activate.ts";
import { engines } from "../fixtures/engines.ts";
import { get } from "../fixtures/http.ts";
import { libc, variants } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

/** So many descriptors below are closed again: more than once ended the search for what the runtime opened. */
const dropped = [20, 100];

for (const variant of variants) {
  for (const count of dropped) {
    test(`serve() is as fast where ${count} descriptors below were closed (${variant.name})`, async () => {
      using folder = tempFolder();
      for (const held of [holdTcp(), holdUnix(`${folder.path}/s.sk`)]) {
        const others: Held[] = Array.from({ length: count }, () => holdTcp());
        // Above all the numbers that they get: Deno overwrites what it has yet to pass on.
        const fds = [...others, held].map(({ fd }) => libc().fcntl(fd, F_DUPFD_CLOEXEC, 300));
        const names = [...others.map(() => "drop"), "web"].join(":");
        await using started = activate({ variant, script: "test/http/fixtures/drop_low.ts", fds, names });
        assert.equal(await started.line(), engines[variant.name][0]);
        assert.equal((await get(held.target, "/")).body, "served");
        assert.equal(await started.terminate(), 0, started.stderr());
        for (const fd of fds) libc().close(fd);
        for (const one of [...others, held]) one[Symbol.dispose]();
      }
    });
  }
}
