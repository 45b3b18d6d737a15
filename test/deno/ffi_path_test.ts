// A Deno whose --allow-ffi names libc alone: everything that needs FFI works as with the whole permission.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { activate, eventually } from "../fixtures/activate.ts";
import { echoOnce } from "../fixtures/client.ts";
import { ask } from "../fixtures/http_client.ts";
import { holdNotifySocket } from "../fixtures/notify_socket.ts";
import { runtime } from "../fixtures/runtime.ts";
import { holdTcp, tempFolder } from "../fixtures/sockets.ts";

/** Where Debian has it; where it is elsewhere, its path is to be given. */
const path = ["x86_64", "aarch64"].map((arch) => `/lib/${arch}-linux-gnu/libc.so.6`).find(existsSync);
const skip = runtime !== "Deno" ? "only Deno has the permission" : path === undefined ? "libc is elsewhere" : false;

const variables = "LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES,NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID";
const flags = ["-q", "--no-prompt", `--allow-env=${variables}`, `--allow-ffi=${path}`, "--allow-net=127.0.0.1"];
const variant = { name: "Deno", command: [process.execPath, "run", ...flags], ffi: true };

test("with --allow-ffi=PATH daemon() serves with Deno.serve, notifies, and stops", { skip }, async () => {
  using folder = tempFolder();
  using manager = holdNotifySocket(`${folder.path}/notify`);
  using held = holdTcp();
  const env = { NOTIFY_SOCKET: manager.address };
  await using started = activate({ variant, script: "test/deno/fixtures/ffi_path.ts", fds: [held.fd], env });
  assert.equal(await ask(held.target), '200 {"engine":"deno-serve","transport":"ffi","cannot":{}}');
  assert.ok(await eventually(() => /^READY=1$/m.test(manager.poll()?.text ?? "")));
  assert.equal(await ask(held.target, { path: "/store" }), "200 true");
  const message = manager.poll();
  assert.equal(message?.text, "FDSTORE=1\nFDNAME=state");
  assert.equal(message?.fds.length, 1);
  assert.equal(await started.terminate(), 0, started.stderr());
  assert.doesNotMatch(started.stderr(), /NotCapable|slower/);
});

test("with --allow-ffi=PATH listen() echoes and a missing descriptor is EBADF", { skip }, async () => {
  using held = holdTcp();
  await using started = activate({ variant, script: "test/fixtures/daemon.ts", fds: [held.fd] });
  await echoOnce(held.target, "hello");
  assert.equal(await started.terminate(), 0, started.stderr());
  const how = 'export LISTEN_FDS=200; exec "$@"';
  await using refused = activate({ variant, script: "test/fixtures/daemon.ts", fds: [held.fd], how });
  assert.equal(await refused.exited, 1);
  assert.match(refused.stderr(), /^Fd3Error EBADF: Cannot use fd \d+/);
});
