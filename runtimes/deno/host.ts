import { canOpen as canOpenOn, isLack } from "../../src/free_fds.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import { warnOnce } from "../../src/service/log.ts";
import { env, libc, serviceHost } from "./service_host.ts";
import { deno, isGranted } from "./types.ts";

/** Whether so many descriptors can be opened, where Deno may open anything. */
function canOpen(count: number): boolean | undefined {
  if (!isGranted({ name: "read", path: "/" })) return undefined;
  const { openSync } = deno();
  const files: { close(): void }[] = [];
  try {
    while (files.length < count) files.push(openSync("/"));
    return true;
  } catch (error) {
    return isLack(error) ? false : undefined;
  } finally {
    for (const file of files) file.close();
  }
}

/** Deno as the core sees it. */
export const denoHost: Host = {
  runtime: "Deno",
  pid: () => deno().pid,
  parentPid: () => deno().ppid,
  isWorker: () => "DedicatedWorkerGlobalScope" in globalThis,
  env,
  unsetEnv: (name) => deno().env.delete(name),
  warn: (text) => warnOnce(serviceHost, text),
  libc,
  canOpen: (count) => hasLibc(libc()) ? undefined : canOpen(count),
};

/** Deno's signals take two descriptors, and one for a moment. */
const neededFds = 3;

/**
 * Makes Deno set up its signal handling now. It does so by itself half a second after the start, and panics if there is no descriptor
 * left for it then (Deno 2.9, ext/signals). SIGURG is ignored by default, so nothing changes for the process.
 *
 * @returns Whether it was done: not where no descriptors are left.
 */
export function setUpSignals(): boolean {
  if (canOpenOn(denoHost, neededFds) === false) return false;
  const nothing = () => {};
  deno().addSignalListener("SIGURG", nothing);
  deno().removeSignalListener("SIGURG", nothing);
  return true;
}
