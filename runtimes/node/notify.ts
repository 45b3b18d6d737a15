import { createNotify } from "../../src/notify/api.ts";
import type { NotifyHost } from "../../src/notify/host.ts";
import type { NotifyApi } from "../../src/notify/types.ts";
import { processGlobal } from "../shared/process_host.ts";
import { processNotify } from "../shared/process_notify.ts";
import { host } from "./host.ts";
import { openFunctions } from "./libc.ts";

/** Node as the service manager's protocol sees it. Its `process.hrtime` is CLOCK_MONOTONIC itself (libuv, uv_hrtime()). */
export const notifyHost: NotifyHost = {
  ...processNotify(host, openFunctions),
  monotonic: () => processGlobal().hrtime.bigint(),
};

/** The service manager's protocol on Node. */
export const api: NotifyApi = createNotify(notifyHost);
