// The servers that are compared.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { activate, holdTcp, root, runtimes } from "../servers.ts";

const here = `${root}test/bench/http`;

/** One that runs. */
export interface Server {
  readonly port: number;
  readonly child: ChildProcess;
}

/** The server that the others of a runtime are compared with, and those others: what they are called, and how fd3 is told. */
export interface Comparison {
  readonly runtime: string;
  readonly own: readonly string[];
  readonly ways: Readonly<Record<string, string>>;
}

/** All of them. */
export const comparisons: readonly Comparison[] = [
  { runtime: "Deno", own: [], ways: { "`serve()`": "deno-serve", "`serve()` on node:http": "node-http" } },
  { runtime: "Bun", own: [], ways: { "`serve()`": "bun-serve", "`serve()` on node:http": "node-http" } },
  { runtime: "Node", own: ["node"], ways: { "`attach()`": "attach", "`serve()`": "node-http" } },
];

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line;
  throw new Error("the server ended without a line");
}

/** The runtime's own, on a port of its own. */
export async function startOwn(runtime: string, args: readonly string[]): Promise<Server> {
  const [file, ...flags] = runtimes[runtime];
  const child = spawn(file, [...flags, `${here}/own.ts`, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  return { child, port: Number(await firstLine(child)) };
}

/** fd3 on an inherited socket. */
export async function startFd3(runtime: string, way: string): Promise<Server> {
  const held = holdTcp();
  const child = activate([...runtimes[runtime], `${here}/fd3.ts`, way], held.fd, "pipe");
  held.close();
  await firstLine(child);
  return { child, port: held.port };
}

/** Ends it. */
export async function stop({ child }: Server): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "close");
}
