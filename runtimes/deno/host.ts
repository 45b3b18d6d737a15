import type { Host } from "../../src/host.ts";
import { warnOnce } from "../../src/warning.ts";
import { env, libc } from "./process.ts";
import { serviceHost } from "./service_host.ts";
import { deno } from "./types.ts";

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
};
