// Messages per second of fd3's connections, against the runtime's fastest own API.
import { Load, median } from "./client.ts";
import { runtimes, type Server, startFd3, startOwn } from "./servers.ts";
import type { Row } from "./table.ts";

const pairs = 16;
const burstMs = 400;

/** The sizes of the messages, in bytes. */
const sizes: readonly number[] = [64, 65536];

/** How the fixture daemon reads, and what that is called. */
const modes: Record<string, string> = { echo: "`forEach()`", read: "`read(buffer)`", iterate: "`for await`" };

/**
 * The median of the ratios of two servers' rates. Both are up, and get short bursts in turn, since a machine's speed drifts; the order
 * changes from pair to pair.
 */
async function compare(a: Server, b: Server, size: number): Promise<number> {
  const loads = await Promise.all([Load.open(a.path, size), Load.open(b.path, size)]);
  for (const load of loads) await load.burst(burstMs);
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const rates = [0, 0];
    for (const which of pair % 2 === 0 ? [0, 1] : [1, 0]) rates[which] = await loads[which].burst(burstMs);
    ratios.push(rates[0] / rates[1]);
  }
  for (const load of loads) load.close();
  return median(ratios);
}

/** One row for each way to read, and one for the runtime's own server against itself: the noise. */
export async function throughput(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const runtime of Object.keys(runtimes)) {
    const own = await startOwn(runtime);
    const others: [string, Server][] = [["itself (the noise)", await startOwn(runtime)]];
    for (const [mode, name] of Object.entries(modes)) others.push([name, startFd3(runtime, mode)]);
    for (const [name, server] of others) {
      const ratios: number[] = [];
      for (const size of sizes) ratios.push(await compare(server, own, size));
      rows.push({ runtime, name, figures: ratios.map((ratio) => ratio.toFixed(2)), ratios });
      server.stop();
    }
    own.stop();
  }
  return rows;
}
