import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { createNotify } from "../src/notify/api.ts";
import { fd3Error } from "./fixtures/expect.ts";
import { withEnv } from "./fixtures/notify_host.ts";
import { closeFds, contents, holdNotifySocket, isOpen, memfd } from "./fixtures/notify_socket.ts";
import { libc, runtime } from "./fixtures/runtime.ts";
import { tempFolder } from "./fixtures/sockets.ts";

/** One notify socket of each kind. */
function* addresses(folder: string): Generator<string> {
  yield `${folder}/notify`;
  yield `@fd3-test-${process.pid}-${Math.random()}`;
}

test(`notify() sends its message, in order and before it returns (${runtime})`, async () => {
  using folder = tempFolder();
  for (const address of addresses(folder.path)) {
    using socket = holdNotifySocket(address);
    const { notify } = createNotify(withEnv({ NOTIFY_SOCKET: address }));
    const sent = [notify({ ready: true, status: "grüß dich" }), notify({ stopping: true })];
    assert.equal(socket.poll()?.text, "READY=1\nSTATUS=grüß dich");
    assert.equal(socket.poll()?.text, "STOPPING=1");
    assert.equal(socket.poll(), undefined);
    assert.deepEqual(await Promise.all(sent), [true, true]);
  }
});
