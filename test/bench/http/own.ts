// The runtime's own server on a port of its own, which it prints: `own.ts [node]`, with `node` for node:http.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { fetchHandler, nodeListener } from "./handlers.ts";

interface Runtimes {
  Deno?: { serve(options: object, handler: typeof fetchHandler): { addr: { port: number } } };
  Bun?: { serve(options: object): { port: number } };
}

const { Deno, Bun } = globalThis as unknown as Runtimes;

if (process.argv[2] !== "node" && Deno !== undefined) {
  console.log(Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, fetchHandler).addr.port);
} else if (process.argv[2] !== "node" && Bun !== undefined) {
  console.log(Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: fetchHandler }).port);
} else {
  const server = createServer(nodeListener);
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}
