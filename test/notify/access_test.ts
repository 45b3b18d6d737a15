import assert from "node:assert/strict";
import { test } from "node:test";
import { createNotify } from "../../src/notify/api.ts";
import { withEnv } from "../fixtures/notify_host.ts";
import { runtime } from "../fixtures/runtime.ts";

const warning =
  "fd3: its messages come from the program systemd-notify: a unit whose user is not root needs NotifyAccess=all, or " +
  (runtime === "Deno" ? "--allow-ffi" : "koffi (npm install koffi)");

test("who sends by systemd-notify is warned once, unless the service manager hears them", async () => {
  for (const [heard, warns] of [[true, false], [false, true], [undefined, true]] as const) {
    let asked = 0;
    let written = "";
    const program = {
      run: () => Promise.resolve({ status: 0, stderr: "" }),
      isHeard: () => Promise.resolve((asked++, heard)),
    };
    const host = withEnv({ NOTIFY_SOCKET: "/run/none" }, {
      libc: () => ({ missing: "none" }),
      datagram: () => ({ missing: "none" }),
      systemdNotify: () => program,
      writeStderr: (text) => void (written += text),
    });
    delete (globalThis as Record<symbol, unknown>)[Symbol.for("fd3.warned")];
    const { notify } = createNotify(host);
    for (let i = 0; i < 3; i++) await notify({ X_I: String(i) });
    assert.equal(written.trim().replace(/^<4>/, ""), warns ? warning : "", String(heard));
    assert.equal(asked, 1);
  }
});
