import { createNotify } from "../../src/notify/api.ts";
import type { NotifyHost, NotifyParts } from "../../src/notify/host.ts";
import type { NotifyApi } from "../../src/notify/types.ts";
import { processNotify } from "../shared/process_notify.ts";

interface Clock {
  readonly hrtime: { bigint(): bigint };
}

/** Node as the service manager's protocol sees it. Its `process.hrtime` is CLOCK_MONOTONIC itself (libuv, uv_hrtime()). */
export function nodeNotify(parts: NotifyParts): NotifyHost {
  const monotonic = () => (globalThis as unknown as { process: Clock }).process.hrtime.bigint();
  return { ...processNotify(parts), monotonic };
}

/** The service manager's protocol on Node. */
export function notifyOf(parts: NotifyParts): NotifyApi {
  return createNotify(nodeNotify(parts));
}
