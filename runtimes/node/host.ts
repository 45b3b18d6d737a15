import type { Host } from "../../src/host.ts";
import { lazy } from "../../src/lazy.ts";
import { warnOnce } from "../../src/service/log.ts";
import { processHost } from "../shared/process_host.ts";
import { processService } from "../shared/process_service.ts";
import { canOpen, describeByProc, isOpen, isWorker, readProc } from "./inspect.ts";
import { openNodeLibc } from "./libc.ts";

/** Node as the core sees it. */
export const nodeHost: Host = {
  runtime: "Node",
  ...processHost,
  isWorker,
  warn: (text) => warnOnce(processService, text),
  libc: lazy(openNodeLibc),
  isOpen,
  canOpen,
  describe: describeByProc,
  readProc,
};
