// Requests per second of serve() and attach() on an inherited socket, against the runtime's own server on a port of its own.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { median } from "../client.ts";
import { benchFolder } from "../servers.ts";
import type { Row } from "../table.ts";
import { requests } from "./handlers.ts";
import { comparisons, type Server, startFd3, startOwn, stop } from "./servers.ts";

const connections = 64;
const pairs = 8;

/** Requests per second of a burst of one second, which is wrk's shortest. */
async function burst({ port }: Server, path: string, script: string | undefined): Promise<number> {
  const url = `http://127.0.0.1:${port}${path}`;
  const args = ["-t1", `-c${connections}`, "-d1s", ...(script === undefined ? [] : ["-s", script]), url];
  const { stdout } = await promisify(execFile)("wrk", args);
  // Equal work on both sides, or no figure.
  if (/Non-2xx|Socket errors: .*(read|write|timeout) [1-9]/.test(stdout)) throw new Error(stdout);
  return Number(/Requests\/sec: +([\d.]+)/.exec(stdout)![1]);
}

async function compare(a: Server, b: Server, part: string): Promise<number> {
  const { path, script } = requests[part];
  const file = script === undefined ? undefined : `${benchFolder}/wrk.lua`;
  if (file !== undefined) writeFileSync(file, script!);
  for (const server of [a, b]) await burst(server, path, file);
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const rates = [0, 0];
    for (const which of pair % 2 === 0 ? [0, 1] : [1, 0]) rates[which] = await burst([a, b][which], path, file);
    ratios.push(rates[0] / rates[1]);
  }
  return median(ratios);
}

/** One row for each way to serve, and for each runtime's own server against itself: the noise. */
export async function throughput(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { runtime, own, ways } of comparisons) {
    const base = await startOwn(runtime, own);
    const others: [string, Server][] = [["itself (the noise)", await startOwn(runtime, own)]];
    for (const [name, way] of Object.entries(ways)) others.push([name, await startFd3(runtime, way)]);
    for (const [name, server] of others) {
      const ratios: number[] = [];
      for (const part of Object.keys(requests)) ratios.push(await compare(server, base, part));
      rows.push({ runtime, name, figures: ratios.map((ratio) => ratio.toFixed(2)), ratios });
      await stop(server);
    }
    await stop(base);
  }
  return rows;
}
