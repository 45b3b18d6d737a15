import { hasLibc, type Host } from "../host.ts";
import { readText } from "../linux/proc.ts";
import type { Environment } from "./listen_fds.ts";

/** Programs that people put between the service manager and the runtime, and what to do instead. */
const wrappers: readonly (readonly [pattern: RegExp, name: string, cure: string])[] = [
  // npx is a script of npm's, whose title says "npm exec".
  [/^(\S*\/)?npm exec( |$)/, "npx", "npx keeps the descriptors: let ExecStart= call the runtime itself"],
  [
    /^(\S*\/)?(node \S*\/)?npm(-cli\.js)?( |$)/,
    "npm",
    "npm keeps the descriptors: let ExecStart= call the runtime itself",
  ],
  [
    /^(\S*\/)?(node \S*\/)?npx(-cli\.js)?( |$)/,
    "npx",
    "npx keeps the descriptors: let ExecStart= call the runtime itself",
  ],
  [
    /^(\S*\/)?(node|deno|bun)(\.exe)?( \S+)* --(watch|hot)\S*( |$)/,
    "a watcher",
    "a watcher starts a child: start the runtime without --watch",
  ],
  [
    /^(\S*\/)?(node \S*\/)?nodemon(\.js)?( |$)/,
    "nodemon",
    "a watcher starts a child: let ExecStart= call the runtime itself",
  ],
  [/^(\S*\/)?timeout( |$)/, "timeout", "timeout starts a child: let RuntimeMaxSec= of the unit do that"],
  [
    /^(\S*\/)?(tini|dumb-init|catatonit|(podman|docker)-init)( |$)/,
    "the container's init",
    "an init starts a child: run the container without one (--init=false)",
  ],
  [/^(\S*\/)?(sudo|su|runuser)( |$)/, "a change of the user", "let User= of the unit do that"],
  [/(^|\/)(tsx|tsx\/dist\/cli\.mjs)( |$)/, "tsx", "tsx starts a child: use node --import tsx"],
  [/^(\S*\/)?deno( -\S+)* task( |$)/, "deno task", "deno task starts a child: use deno run"],
  [/^(\S*\/)?bunx?(\.exe)?( -\S+)* run( |$)/, "bun run", "bun run starts a child: use bun and the file"],
  [
    /^(\S*\/)?(ba|da|z|k|a)?sh( |$)/,
    "a shell",
    "put exec before the command, or let ExecStart= call the runtime itself",
  ],
];

function readProc(host: Host, path: string): string | undefined {
  const libc = host.libc();
  return hasLibc(libc) ? readText(libc, path) : host.readProc?.(path);
}

/** The wrapper that a command line is of. */
export function findWrapper(commandLine: string): { name: string; cure: string } | undefined {
  for (const [pattern, name, cure] of wrappers) {
    if (pattern.test(commandLine)) return { name, cure };
  }
  return undefined;
}

/** The parents of this process, nearest first, as far as /proc shows them. */
function ancestors(host: Host): number[] {
  const pids: number[] = [];
  let pid = host.parentPid();
  // In a container it may be PID 1 that keeps them.
  while (pid >= 1 && pids.length < 32) {
    pids.push(pid);
    // "pid (comm) state ppid": comm may hold anything, a parenthesis too.
    const stat = readProc(host, `/proc/${pid}/stat`);
    pid = Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
  return pids;
}

/** A command line with its arguments behind one another. */
function commandLineOf(host: Host, pid: string): string {
  return readProc(host, `/proc/${pid}/cmdline`)?.replaceAll("\0", " ").trim() ?? "";
}

/** The runtime of a command line, without its folder, and the first argument that looks like a script. */
function programOf(commandLine: string): { runtime: string; script: string } | undefined {
  const [runtime, ...rest] = commandLine.split(" ");
  const script = rest.find((argument) => /\.[cm]?[jt]sx?$/.test(argument));
  if (script === undefined) return undefined;
  return { runtime: runtime.slice(runtime.lastIndexOf("/") + 1), script: script.replace(/^(\.\/)+/, "") };
}

/** Whether two command lines run the same script. A fork has its whole path, and what was started may have a part of it. */
function isSameProgram(one: string, other: string): boolean {
  const [a, b] = [programOf(one), programOf(other)];
  if (a === undefined || b === undefined || a.runtime !== b.runtime) return false;
  return a.script === b.script || b.script.endsWith(`/${a.script}`);
}

const isWatching = (commandLine: string) => / --(watch|hot)(-\S+|=\S+)?( |$)/.test(commandLine);

/** Whether the runtime was told to start the program anew when a file changes, which loses what was inherited. */
export function isWatched(host: Host): boolean {
  return isWatching(commandLineOf(host, "self"));
}

/**
 * Why nothing was received although there is an environment for it: usually a wrapper stands between the service manager and us.
 *
 * @param env The variables as they were.
 * @param host The runtime.
 * @returns A sentence, or `undefined` where the service manager passed nothing.
 */
export function explainNothing(env: Environment, host: Host): string | undefined {
  if (env.LISTEN_PID === undefined) {
    return env.LISTEN_FDS === undefined ? undefined : `LISTEN_FDS is set and LISTEN_PID is not`;
  }
  const pid = Number(env.LISTEN_PID);
  if (pid === host.pid()) {
    return env.LISTEN_FDS === undefined
      ? "LISTEN_PID is set and LISTEN_FDS is not"
      : `LISTEN_PIDFDID=${env.LISTEN_PIDFDID} is not this process`;
  }
  const cause = `LISTEN_PID=${env.LISTEN_PID} is not this process (${host.pid()})`;
  if (!ancestors(host).includes(pid)) return cause;
  const commandLine = commandLineOf(host, String(pid));
  const wrapper = findWrapper(commandLine);
  if (wrapper === undefined && isSameProgram(commandLine, commandLineOf(host, "self"))) {
    return `${cause} but its parent, the same program; a fork or a worker of node:cluster gets none: call fd3 in the first process`;
  }
  const who = wrapper?.name ?? (commandLine.slice(0, 80) || "another program");
  const cure = wrapper?.cure ?? "let ExecStart= call the runtime itself";
  return `${cause} but its parent, ${who}; ${cure}`;
}
