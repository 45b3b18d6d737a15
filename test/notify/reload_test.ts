// Type=notify-reload is of systemd 253. This is its part of the exchange (service_notify_message() in src/core/service.c): SIGHUP, then only a
// RELOADING=1 counts whose time is not before the signal's, and after that READY=1.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { activate, type Started } from "../fixtures/activate.ts";
import { get } from "../fixtures/http.ts";
import { lifeWays } from "../fixtures/lives.ts";
import { closeFds, holdNotifySocket, monotonicUsec, type NotifySocket } from "../fixtures/notify_socket.ts";
import type { NotifyWay } from "../fixtures/notify_ways.ts";
import { runtime } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";

/** A service manager that reloads one service. */
class Manager {
  state: "starting" | "running" | "signalled" | "reloading" = "starting";
  /** The messages that began a reload. */
  readonly reloads: string[] = [];
  #begin = 0n;
  readonly #socket: NotifySocket;

  constructor(socket: NotifySocket) {
    this.#socket = socket;
  }

  reload(pid: number): void {
    this.#begin = monotonicUsec();
    this.state = "signalled";
    process.kill(pid, "SIGHUP");
  }

  read(text: string): void {
    const fields = new Map(text.split("\n").map((line) => line.split("=", 2) as [string, string]));
    if (this.state === "signalled" && fields.get("RELOADING") === "1") {
      const time = fields.get("MONOTONIC_USEC");
      if (time !== undefined && BigInt(time) >= this.#begin) this.state = "reloading";
    }
    if (this.state !== "signalled" && fields.get("READY") === "1") this.state = "running";
  }

  async until(state: Manager["state"], started: Started): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (this.state !== state) {
      assert.ok(Date.now() < deadline, `${this.state}, not ${state}: ${this.reloads} ${started.stderr()}`);
      const message = this.#socket.poll();
      if (message === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
      else {
        closeFds(message);
        if (message.text.startsWith("RELOADING=1")) this.reloads.push(message.text);
        this.read(message.text);
      }
    }
  }
}

/** The permissions of the example besides those of every daemon. */
function exampleWay(way: NotifyWay, folder: string): NotifyWay {
  if (runtime !== "Deno") return way;
  const own = ["--allow-env", `--allow-read=${folder}`, ...(way.ffi ? [] : ["--allow-sys=osUptime"])];
  return { ...way, command: [...way.command.filter((flag) => !flag.startsWith("--allow-env")), ...own] };
}

async function reloads(way: NotifyWay, address: string): Promise<void> {
  using folder = tempFolder();
  const file = `${folder.path}/greeting`;
  writeFileSync(file, "Hello 0\n");
  using held = holdUnix(`${folder.path}/s.sk`);
  using socket = holdNotifySocket(address);
  const env = { NOTIFY_SOCKET: address, GREETING_FILE: file };
  const variant = exampleWay(way, folder.path);
  await using started = activate({ variant, script: "examples/daemon.ts", fds: [held.fd], env });
  const manager = new Manager(socket);
  // Without libc Deno has only the time since boot, in whole seconds and rounded up.
  const isExact = way.ffi || runtime !== "Deno";
  await manager.until("running", started);
  for (let i = 1; i <= 4; i++) {
    writeFileSync(file, `Hello ${i}\n`);
    manager.reload(started.pid);
    // The last one's message would count, were its time not before this signal.
    if (i > 1 && isExact) manager.read(manager.reloads.at(-1)!);
    assert.equal(manager.state, "signalled", way.name);
    await manager.until("reloading", started);
    // A status that is due may come along.
    const [, time] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)(?:\nSTATUS=.*)?$/.exec(manager.reloads.at(-1)!)!;
    if (isExact) assert.ok(BigInt(time) <= monotonicUsec(), `${way.name}: ${time} is to come`);
    await manager.until("running", started);
    assert.match((await get(held.target)).body, new RegExp(`^Hello ${i}\n`), way.name);
  }
  // What fails is over, too: the manager must not wait for ever.
  writeFileSync(file, "\n");
  manager.reload(started.pid);
  await manager.until("reloading", started);
  await manager.until("running", started);
  assert.match((await get(held.target)).body, /^Hello 4\n/, way.name);
  assert.equal(await started.terminate(), 0, `${way.name}: ${started.stderr()}`);
}

for (const way of lifeWays(`@fd3-reload-${process.pid}`)) {
  test(`daemon() reloads as Type=notify-reload asks for it (${way.name})`, async () => {
    await reloads(way, `@fd3-reload-${process.pid}`);
  });
}
