// `npm run bench`: fd3 against each runtime's own server, as ratios. Both are up at the same time and get short bursts in turn, since a
// machine's speed drifts; the order changes from pair to pair. What counts is the median of the ratios of the pairs.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { cpus, release } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chart, type Row } from "./chart.ts";
import { Load, median } from "./client.ts";
import {
  activate,
  benchFolder,
  holdSocket,
  root,
  runtimes,
  type Server,
  startFd3,
  startNative,
  versionOf,
} from "./servers.ts";

const pairs = 16;
const burstMs = 400;
const sizes = [64, 65536];
const modes: Record<string, string> = { echo: "forEach()", read: "read(buffer)", iterate: "for await" };

/** The median ratio of two servers' rates, of so many pairs of bursts. */
async function compare(a: Server, b: Server, size: number): Promise<number> {
  const loads = await Promise.all([Load.open(a.path, size), Load.open(b.path, size)]);
  for (const load of loads) await load.burst(burstMs);
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? [0, 1] : [1, 0];
    const rates = [0, 0];
    for (const which of order) rates[which] = await loads[which].burst(burstMs);
    ratios.push(rates[0] / rates[1]);
  }
  for (const load of loads) load.close();
  return median(ratios);
}

async function throughput(runtime: string): Promise<Row[]> {
  const own = await startNative(runtime);
  const rows: Row[] = [];
  const others: [string, Server][] = [["itself (noise)", await startNative(runtime)]];
  for (const [mode, name] of Object.entries(modes)) others.push([name, startFd3(runtime, mode)]);
  for (const [name, server] of others) {
    const ratios: number[] = [];
    for (const size of sizes) ratios.push(await compare(server, own, size));
    rows.push({ runtime, name, ratios });
    server.stop();
  }
  own.stop();
  return rows;
}

/** Milliseconds from the start of a program to the answer of a client that was there before. */
async function coldStart(runtime: string, program: string): Promise<number> {
  const held = holdSocket();
  const client = connect(held.path);
  client.write("x");
  await once(client, "connect");
  const begin = performance.now();
  const child = activate(runtime, program, [], held.fd);
  held.close();
  await once(client, "data");
  const took = performance.now() - begin;
  client.destroy();
  child.kill("SIGKILL");
  await once(child, "close");
  return took;
}

/** Both sides as one file of JavaScript each, as they are installed. */
async function bundle(source: string, name: string): Promise<string> {
  const outfile = `${benchFolder}/${name}.mjs`;
  await build({ entryPoints: [`${root}${source}`], outfile, bundle: true, format: "esm", platform: "neutral" });
  return outfile;
}

async function startRatio(runtime: string): Promise<Row> {
  const programs = [await bundle("examples/foobard.ts", "foobard"), await bundle("test/bench/servers/bare.ts", "bare")];
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs + 2; pair++) {
    const times = [0, 0];
    for (const which of pair % 2 === 0 ? [0, 1] : [1, 0]) times[which] = await coldStart(runtime, programs[which]);
    // The first two fill the caches.
    if (pair >= 2) ratios.push(times[0] / times[1]);
  }
  return { runtime, name: "start to first answer", ratios: [median(ratios)] };
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ runtime, name, ratios }) => {
    const [small, large] = ratios.map((ratio) => ratio.toFixed(2));
    return `| ${runtime} | ${name} | ${small} | ${large ?? ""} |`;
  });
  return ["| runtime | fd3 | 64 B | 64 KiB |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

const machine = `${cpus().length} × ${cpus()[0].model.trim()}, Linux ${release()}`;
const wanted = Object.keys(runtimes);
const rows: Row[] = [];
for (const runtime of wanted) rows.push(...await throughput(runtime));
const starts: Row[] = [];
for (const runtime of wanted) starts.push(await startRatio(runtime));
console.log(`${machine}; ${wanted.map(versionOf).join(", ")}`);
console.log(
  "\nMessages per second over a Unix socket, against the runtime's own server (1.00 is as fast; more is better)\n",
);
console.log(table(rows));
console.log("\nTime to start, against the shortest program of the runtime's own on fd 3 (less is better)\n");
for (const { runtime, ratios } of starts) console.log(`${runtime}: ${ratios[0].toFixed(2)}`);
const file = fileURLToPath(new URL("ratios.svg", import.meta.url));
writeFileSync(file, chart(rows, "Echo over a Unix socket against the runtime's own server (64 B, 64 KiB)"));
process.exit(0);
