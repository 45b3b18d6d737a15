import type { Host } from "../../src/host.ts";
import { lazy } from "../../src/lazy.ts";
import { warnOnce } from "../../src/service/log.ts";
import { processHost } from "../shared/process_host.ts";
import { processService } from "../shared/process_service.ts";
import { openBunLibc } from "./libc.ts";
import { bun } from "./types.ts";

/** Bun as the core sees it. */
export const bunHost: Host = {
  runtime: "Bun",
  ...processHost,
  isWorker: () => !bun().isMainThread,
  warn: (text) => warnOnce(processService, text),
  libc: lazy(openBunLibc),
};
