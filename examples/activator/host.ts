// The runtime that this runs on, and its libc.
import process from "node:process";
import { bunHost } from "../../runtimes/bun/host.ts";
import { denoHost } from "../../runtimes/deno/host.ts";
import { nodeHost } from "../../runtimes/node/host.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import type { Libc } from "../../src/linux/libc.ts";

const host: Host = "Deno" in globalThis ? denoHost : "Bun" in globalThis ? bunHost : nodeHost;

/** Deno, Bun or Node. */
export const runtime: Host["runtime"] = host.runtime;

/** The runtime and its version: "Node 26.1.0". */
export function runtimeText(): string {
  return `${runtime} ${process.versions[runtime.toLowerCase()]}`;
}

/** libc. Without it nobody can make a socket to pass on: the runtimes' own listeners accept connections at once. */
export function requireLibc(): Libc {
  const libc = host.libc();
  if (!hasLibc(libc)) throw new Error(`Cannot call libc: ${libc.missing}`);
  return libc;
}
