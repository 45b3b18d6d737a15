// How a server with TLS ends: of a client that has shaken hands and asked nothing yet, the kernel tells no more than of one that was answered.
import assert from "node:assert/strict";
import { connect, createServer, type NetConnectOpts, type Socket } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeTls } from "../fixtures/certificate.ts";
import { openTls, receive } from "../fixtures/client.ts";
import { engines, startServer } from "../fixtures/engines.ts";
import { getRequest } from "../fixtures/http_client.ts";
import { everything, runtime } from "../fixtures/runtime.ts";
import { holdTcp, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

/** Longer than a handshake may take. */
const lateMs = 700;

/** Stands before a server, and keeps back what that sends until it is told to pass it on. */
interface Keeper extends Disposable {
  readonly target: object;
  /** Settles when the server has sent something. */
  readonly sent: Promise<void>;
  pass(): void;
}

async function keeperBefore(target: object): Promise<Keeper> {
  const sockets: Socket[] = [];
  const kept: Uint8Array[] = [];
  let write = (chunk: Uint8Array): void => void kept.push(chunk);
  let told = () => {};
  const sent = new Promise<void>((resolve) => told = resolve);
  const server = createServer((inner) => {
    const outer = connect(target as NetConnectOpts);
    sockets.push(inner, outer);
    for (const socket of [inner, outer]) socket.on("error", () => {});
    inner.on("data", (chunk) => void outer.write(chunk));
    outer.on("data", (chunk: Uint8Array) => {
      write(chunk);
      told();
    });
    outer.on("end", () => inner.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    target: { host: "127.0.0.1", port: (server.address() as { port: number }).port },
    sent,
    pass() {
      const [inner] = sockets;
      write = (chunk) => void inner.write(chunk);
      kept.forEach(write);
    },
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A client that asks after the stop, and the answer to that. */
type Late = (target: object, stop: () => Promise<void>) => Promise<Buffer>;

async function asks(socket: Socket): Promise<Buffer> {
  const answer = receive(socket);
  socket.write(getRequest("/"));
  try {
    return await answer;
  } finally {
    socket.destroy();
  }
}

const lateOnes: Record<string, Late> = {
  async "has shaken hands"(target, stop) {
    const socket = await openTls(target);
    await stop();
    return await asks(socket);
  },
  async "is shaking hands"(target, stop) {
    using keeper = await keeperBefore(target);
    const opened = openTls(keeper.target);
    await keeper.sent;
    await stop();
    keeper.pass();
    return await asks(await opened);
  },
};

for (const engine of engines[everything.name]) {
  for (const [who, late] of Object.entries(lateOnes)) {
    const title = `HttpServer.shutdown() waits for who ${who}, and not for who was answered (${engine} on ${runtime})`;
    test(title, needs("openssl"), async () => {
      using folder = tempFolder();
      using held = holdTcp();
      const place = { variant: everything, engine, name: "" };
      await using started = await startServer(place, [held.fd], { tls: makeTls(folder.path) });
      const answered = await openTls(held.target);
      answered.write(getRequest("/"));
      assert.match((await receive(answered, 1)).toString(), /^HTTP/);
      const answer = await late(held.target, async () => {
        process.kill(started.pid, "SIGTERM");
        await sleep(lateMs);
      });
      assert.match(answer.toString(), /^HTTP\/1\.1 200 [^]*Hello World$/);
      const done = Date.now();
      assert.equal(await started.exited, 0, started.stderr());
      // Not the 5 s of who owes a request.
      assert.ok(Date.now() - done < 4000, `${Date.now() - done} ms`);
      answered.destroy();
    });
  }
}
