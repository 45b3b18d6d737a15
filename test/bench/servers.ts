// Starts the servers that are compared.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { hasLibc } from "../../src/host.ts";
import { AF_INET, AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from "../../src/linux/constants.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { encodeUnix } from "../../src/linux/sockaddr.ts";
import { localAddress } from "../../src/linux/socket.ts";
import { nodeHost as host } from "../../runtimes/node/host.ts";

/** The project. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** A runtime with the flags that both sides get. */
export const runtimes: Record<string, readonly string[]> = {
  Deno: [`${root}node_modules/.bin/deno`, "run", "-q", "--allow-all"],
  Bun: [`${root}node_modules/.bin/bun`],
  Node: [`${root}test/runtimes/node_modules/node24/bin/node`],
};

/** What a runtime calls itself. */
export function versionOf(runtime: string): string {
  const [line] = execFileSync(runtimes[runtime][0], ["--version"], { encoding: "utf8" }).split("\n");
  return `${runtime} ${/\d+\.\d+\.\d+/.exec(line)}`;
}

/** A server that runs. */
export interface Server {
  readonly path: string;
  stop(): void;
}

/** Where the sockets are. */
export const benchFolder: string = mkdtempSync(join(tmpdir(), "fd3-bench-"));
process.once("exit", () => rmSync(benchFolder, { recursive: true, force: true }));
let counter = 0;

function libcOrThrow(): Libc {
  const libc = host.libc();
  if (!hasLibc(libc)) throw new Error(libc.missing);
  return libc;
}

/** A socket of TCP like {@linkcode holdSocket}'s, on a free port of 127.0.0.1. */
export function holdTcp(): { fd: number; port: number; close(): void } {
  const libc = libcOrThrow();
  const fd = libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const any = Uint8Array.of(AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  if (fd < 0 || libc.bind(fd, any, any.length) < 0 || libc.listen(fd, 1024) < 0) throw new Error("no TCP socket");
  const { port } = localAddress(libc, fd) as { port: number };
  return { fd, port, close: () => void libc.close(fd) };
}

/** A listening socket as a service manager makes it: no runtime watches it. */
export function holdSocket(): { fd: number; path: string; close(): void } {
  const libc = libcOrThrow();
  const path = `${benchFolder}/${counter++}.sk`;
  const address = encodeUnix(path);
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || libc.bind(fd, address, address.length) < 0 || libc.listen(fd, 1024) < 0) throw new Error(path);
  return { fd, path, close: () => void libc.close(fd) };
}

/** What a shell runs to become a program with a true LISTEN_PID. */
export function activationShell(count: number): string {
  return `export LISTEN_PID=$$ LISTEN_FDS=${count}; exec "$@"`;
}

/** Starts a program with a socket as its fd 3. */
export function activate(command: readonly string[], fd: number, stdout: "ignore" | "pipe" = "ignore"): ChildProcess {
  const args = ["-c", activationShell(1), "sh", ...command];
  return spawn("/bin/sh", args, { stdio: ["ignore", stdout, "inherit", fd] });
}

/** fd3's echo daemon, reading in one of the ways of a Connection. */
export function startFd3(runtime: string, mode: string): Server {
  const held = holdSocket();
  const child = activate([...runtimes[runtime], `${root}test/fixtures/daemon.ts`, mode], held.fd);
  held.close();
  return { path: held.path, stop: () => void child.kill("SIGKILL") };
}

/** The runtime's own. */
export async function startOwn(runtime: string): Promise<Server> {
  const path = `${benchFolder}/${counter++}.sk`;
  const [file, ...args] = [...runtimes[runtime], `${root}test/bench/servers/echo.ts`, path];
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "inherit"] });
  for (let tries = 0; !existsSync(path); tries++) {
    if (tries > 500) throw new Error(`${runtime} does not listen`);
    await sleep(10);
  }
  await sleep(100);
  return { path, stop: () => void child.kill("SIGKILL") };
}
