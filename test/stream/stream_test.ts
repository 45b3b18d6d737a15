import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { activate, eventually, memory, type Started } from "../fixtures/activate.ts";
import { echoOnce, open } from "../fixtures/client.ts";
import { type Variant, variants } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

const MiB = 1024 * 1024;

/** Runs a check against a daemon on an inherited Unix and TCP socket. */
async function withDaemon(
  variant: Variant,
  mode: string,
  check: (held: Held, started: Started) => Promise<void>,
): Promise<void> {
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`);
  using tcp = holdTcp();
  for (const held of [unix, tcp]) {
    await using started = activate({ variant, script: "test/fixtures/daemon.ts", args: [mode], fds: [held.fd] });
    await started.line();
    await check(held, started);
  }
}

/** Sends so many bytes, each block another one, as fast as they are taken; gives their hash. */
async function pour(socket: Socket, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  const size = 251 * 1024;
  for (let sent = 0, turn = 0; sent < bytes; turn++) {
    const block = Buffer.alloc(Math.min(size, bytes - sent));
    for (let i = 0; i < block.length; i += 4) {
      block.writeUInt32LE((turn * 2654435761 + i) >>> 0, Math.min(i, block.length - 4));
    }
    hash.update(block);
    sent += block.length;
    if (!socket.write(block)) await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  return hash.digest("hex");
}

/** Reads to the end at 200 MiB a second, much slower than it is poured; gives the hash and the length. */
async function sip(socket: Socket): Promise<{ hash: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  let unrested = 0;
  for await (const chunk of socket) {
    hash.update(chunk);
    bytes += chunk.length;
    unrested += chunk.length;
    if (unrested < 4 * MiB) continue;
    unrested = 0;
    await sleep(20);
  }
  return { hash: hash.digest("hex"), bytes };
}

for (const variant of variants) {
  test(`Connection loses and reorders nothing under a slow reader (${variant.name})`, async () => {
    for (
      const [mode, size] of [["echo", 256 * MiB], ["read", 16 * MiB], ["iterate", 16 * MiB], [
        "streams",
        16 * MiB,
      ]] as const
    ) {
      await withDaemon(variant, mode, async (held, started) => {
        await echoOnce(held.target, "warm");
        const base = memory(started.pid, "VmHWM");
        const socket = await open(held.target);
        const [sent, received] = await Promise.all([pour(socket, size), sip(socket)]);
        assert.equal(received.bytes, size);
        assert.equal(received.hash, sent);
        const grown = memory(started.pid, "VmHWM") - base;
        // What Deno's node:net leaves to the garbage collector comes to 140 MiB, however much is sent.
        assert.ok(grown < 192 * 1024, `memory grew by ${grown} KiB for ${size / MiB} MiB`);
      });
    }
  });

  test(`Connection holds little for a reader that never reads (${variant.name})`, async () => {
    await withDaemon(variant, "endless", async (held, started) => {
      const base = memory(started.pid, "VmRSS");
      const sockets = await Promise.all(Array.from({ length: 8 }, () => open(held.target)));
      for (const socket of sockets) socket.pause();
      await sleep(1000);
      const grown = memory(started.pid, "VmRSS") - base;
      assert.ok(grown < 64 * 1024, `memory grew by ${grown} KiB`);
      for (const socket of sockets) socket.destroy();
      assert.ok(
        await eventually(() => started.stderr().trim().split("\n").length === sockets.length),
        started.stderr(),
      );
      assert.match(started.stderr(), /^((EPIPE|ECONNRESET) Cannot write to the connection: .+\n){8}$/);
    });
  });

  test(`Connection holds little of a writer that nobody reads (${variant.name})`, async () => {
    await withDaemon(variant, "silent", async (held, started) => {
      const socket = await open(held.target);
      const base = memory(started.pid, "VmRSS");
      const block = Buffer.alloc(MiB);
      let stuck = 0;
      for (let i = 0; i < 256 && stuck === 0; i++) {
        if (!socket.write(block)) {
          const drained = await Promise.race([
            new Promise<boolean>((resolve) => socket.once("drain", () => resolve(true))),
            sleep(500).then(() => false),
          ]);
          if (!drained) stuck = i + 1;
        }
      }
      assert.ok(stuck > 0, "the daemon swallowed 256 MiB that nobody read");
      const grown = memory(started.pid, "VmRSS") - base;
      assert.ok(grown < 32 * 1024, `memory grew by ${grown} KiB`);
      socket.destroy();
    });
  });

  test(`Connection says that a peer is gone, and still gives what it sent (${variant.name})`, async () => {
    await withDaemon(variant, "gone", async (held, started) => {
      const socket = await open(held.target);
      // Who leaves something unread resets the connection, and takes what it sent along.
      socket.resume().write("LAST");
      await sleep(50);
      socket.destroy();
      assert.ok(await eventually(() => started.stderr().includes("\n")), "it said nothing");
      const said = JSON.parse(started.stderr().split("\n")[0]);
      // How many writes it takes depends on TCP; none of them may be lost without a word after the first that failed.
      assert.match(said.writes, /^(ok )*((EPIPE|ECONNRESET) )+$/);
      if (!("port" in held.target)) assert.equal(said.read, "LAST");
    });
  });

  test(`a peer that resets its connection never ends the daemon (${variant.name})`, async () => {
    for (const mode of ["echo", "endless"]) {
      await withDaemon(variant, mode, async (held, started) => {
        for (let i = 0; i < 30; i++) {
          const socket = await open(held.target);
          socket.on("error", () => {});
          socket.write("x".repeat(100_000));
          if (i % 2 === 0) await sleep(5);
          socket.pause();
          if ("port" in held.target) socket.resetAndDestroy();
          else socket.destroy();
        }
        if (mode === "echo") await echoOnce(held.target, "still here");
        assert.equal(started.child.exitCode, null, started.stderr());
        assert.doesNotMatch(started.stderr(), /Uncaught|Unhandled/i);
      });
    }
  });
}
