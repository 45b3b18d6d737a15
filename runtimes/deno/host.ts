import { isLack } from "../../src/free_fds.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import { warnOnce } from "../../src/service/warning.ts";
import { env, libc } from "./process.ts";
import { serviceHost } from "./service_host.ts";
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
