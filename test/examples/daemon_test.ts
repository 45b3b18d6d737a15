import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { activate, type Started } from "../fixtures/activate.ts";
import { type Answer, get } from "../fixtures/http.ts";
import { closeFds, contents, holdNotifySocket, type Received } from "../fixtures/notify_socket.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";

/** Asks until somebody answers. */
async function firstAnswer(target: object, started: Started): Promise<Answer> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await get(target);
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`nobody answers: ${started.stderr()}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test(`examples/daemon.ts serves and stops where there is no systemd (${runtime})`, async () => {
  using folder = tempFolder();
  const target = { path: `${folder.path}/d.sk` };
  // Without a client it would go, had somebody else its socket.
  const env = { IDLE_TIMEOUT: "50" };
  await using started = activate({ variant: everything, script: "examples/daemon.ts", args: [target.path], env });
  assert.equal((await firstAnswer(target, started)).body, "Hello World\n1\n");
  assert.equal((await get(target, "/nothing")).status, 404);
  const slow = get(target, "/slow?ms=300");
  assert.equal((await get(target, "/block?ms=10")).status, 200);
  assert.equal((await slow).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await get(target)).body, "Hello World\n5\n");
  assert.equal(await started.terminate(), 0);
  const engine = { Deno: "deno-serve", Bun: "bun-serve", Node: "node-http" }[runtime];
  assert.equal(started.stderr(), `fd3: serving on ${target.path} (${engine}, opened here)\n`);
});

test(`examples/durable.ts stores its counter, and goes on with the one that it is passed (${runtime})`, async () => {
  using folder = tempFolder();
  using held = holdUnix(`${folder.path}/d.sk`);
  using socket = holdNotifySocket(`@fd3-durable-${process.pid}`);
  const options = { variant: everything, script: "examples/durable.ts", env: { NOTIFY_SOCKET: socket.address } };
  let stored: Received | undefined;
  {
    await using first = activate({ ...options, fds: [held.fd] });
    for (let i = 1; i <= 3; i++) assert.equal((await get(held.target)).body, `${i}\n`, first.stderr());
    stored = await socket.receive();
    assert.equal(stored.text, "FDSTORE=1\nFDNAME=counter\nFDPOLL=0");
    process.kill(first.pid, "SIGKILL");
    assert.equal(await first.exited, "SIGKILL");
  }
  try {
    assert.equal(contents(stored.fds[0]), "\0\0\0\0\0\0\0\x03");
    await using next = activate({ ...options, fds: [held.fd, stored.fds[0]], names: "durable.socket:counter" });
    for (let i = 4; i <= 6; i++) assert.equal((await get(held.target)).body, `${i}\n`, next.stderr());
    assert.equal(await next.terminate(), 0, next.stderr());
  } finally {
    closeFds(stored);
  }
});
