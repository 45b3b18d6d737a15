// What a crowd costs: 200 requests that wait before the start, and 10,000 connections.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { activate, holdTcp, root, runtimes } from "../servers.ts";
import type { Row } from "../table.ts";
import { median } from "../client.ts";
import { comparisons, type Server, startFd3, startOwn, stop } from "./servers.ts";

const queued = 200;
const rounds = 7;
const crowd = 10_000;
const request = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** Milliseconds from the start of the server to the first answer, and to the last. */
async function fromStart(runtime: string, way: string): Promise<[first: number, last: number]> {
  const held = holdTcp();
  const sockets = await Promise.all(Array.from({ length: queued }, () => connected(held.port)));
  for (const socket of sockets) socket.write(request);
  const begin = performance.now();
  const child = activate([...runtimes[runtime], `${root}test/bench/http/fd3.ts`, way], held.fd);
  held.close();
  const answers = sockets.map(async (socket) => {
    await once(socket, "data");
    return performance.now() - begin;
  });
  const first = await Promise.race(answers);
  const last = Math.max(...await Promise.all(answers));
  for (const socket of sockets) socket.destroy();
  child.kill("SIGKILL");
  await once(child, "close");
  return [first, last];
}

/** The first answer and the last, where 200 requests wait before the start. */
export async function starts(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { runtime, ways } of comparisons) {
    for (const [name, way] of Object.entries(ways)) {
      const times: [number, number][] = [];
      // The first one fills the caches.
      for (let round = -1; round < rounds; round++) {
        const time = await fromStart(runtime, way);
        if (round >= 0) times.push(time);
      }
      const figures = [0, 1].map((i) => median(times.map((time) => time[i])).toFixed(0));
      rows.push({ runtime, name, figures });
    }
  }
  return rows;
}

function residentMiB({ child }: Server): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1024;
}

/** What a server grows by, in MiB, while 10,000 clients are connected of which each has asked once. */
async function growth(server: Server): Promise<number> {
  const before = residentMiB(server);
  const sockets: Socket[] = [];
  while (sockets.length < crowd) {
    const some = await Promise.all(Array.from({ length: 100 }, () => connected(server.port)));
    for (const socket of some) socket.write(request);
    await Promise.all(some.map((socket) => once(socket, "data")));
    sockets.push(...some);
  }
  const grown = residentMiB(server) - before;
  for (const socket of sockets) socket.destroy();
  return grown;
}

/** The memory of 10,000 connections, of the runtime's own server and of fd3. */
export async function memory(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { runtime, own, ways } of comparisons) {
    const servers: [string, () => Promise<Server>][] = [["its own server", () => startOwn(runtime, own)]];
    for (const [name, way] of Object.entries(ways)) servers.push([name, () => startFd3(runtime, way)]);
    for (const [name, start] of servers) {
      const server = await start();
      rows.push({ runtime, name, figures: [(await growth(server)).toFixed(0)] });
      await stop(server);
    }
  }
  return rows;
}
