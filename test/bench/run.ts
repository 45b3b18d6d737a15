// `npm run bench`: fd3 against each runtime's own servers, as ratios. `npm run bench -- throughput`, or another part's name, alone.
import { writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { chart } from "./chart.ts";
import { coldStart } from "./cold_start.ts";
import { memory, starts } from "./http/crowd.ts";
import { requests } from "./http/handlers.ts";
import { throughput as httpThroughput } from "./http/throughput.ts";
import { many } from "./many.ts";
import { notifying } from "./notify.ts";
import { runtimes, versionOf } from "./servers.ts";
import { type Row, table } from "./table.ts";
import { throughput } from "./throughput.ts";

function draw(name: string, rows: readonly Row[], title: string): void {
  writeFileSync(fileURLToPath(new URL(`${name}.svg`, import.meta.url)), chart(rows, title));
}

const parts: Record<string, () => void | Promise<void>> = {
  async throughput() {
    const rows = await throughput();
    console.log(
      "\nMessages per second of an echo over 50 connections of a Unix socket, against the runtime's own API\n",
    );
    console.log(table(["runtime", "fd3", "64 B", "64 KiB"], rows));
    draw("ratios", rows, "Echo over a Unix socket against the runtime's own API (64 B, 64 KiB)");
  },
  async cold() {
    console.log(
      "\nFrom the start of a program to its first echoed byte: ratio to the runtime's program by hand (less is better)\n",
    );
    console.log(table(["runtime", "program", "ratio", "ms"], await coldStart()));
  },
  async http() {
    const rows = await httpThroughput();
    console.log("\nRequests per second with 64 connections of wrk, against the runtime's own server on its own port\n");
    console.log(table(["runtime", "fd3", ...Object.keys(requests)], rows));
    draw(
      "http",
      rows,
      `HTTP on an inherited socket against the runtime's own server (${Object.keys(requests).join(", ")})`,
    );
  },
  async crowd() {
    console.log(
      "\nFrom the start of a server to its first and its last answer, where 200 requests wait for it, in ms\n",
    );
    console.log(table(["runtime", "fd3", "first", "last"], await starts()));
    console.log("\nWhat a server grows by with 10,000 connections open, in MiB\n");
    console.log(table(["runtime", "server", "MiB"], await memory()));
  },
  async notify() {
    console.log("\nA message to the service manager: the first one in ms, then a status and a watchdog ping in µs\n");
    console.log(table(["runtime", "by", "first, ms", "status, µs", "ping, µs"], await notifying()));
  },
  many() {
    console.log("\nMany descriptors passed at once: what each costs\n");
    console.log(table(["runtime", "descriptors", "`listenFds()`, µs", "`listen()`, µs", "memory, KiB"], many()));
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`Cannot measure ${unknown.join(", ")}: the parts are ${Object.keys(parts).join(", ")}`);
  process.exit(1);
}
const machine = `${cpus().length} × ${cpus()[0].model.trim()}, Linux ${release()}`;
console.log(`${machine}; ${Object.keys(runtimes).map(versionOf).join(", ")}`);
for (const [name, run] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await run();
process.exit(0);
