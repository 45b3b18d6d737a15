import { createNotify } from "../../src/notify/api.ts";
import type { NotifyParts } from "../../src/notify/host.ts";
import type { NotifyApi } from "../../src/notify/types.ts";
import { processNotify } from "../shared/process_notify.ts";

/** The service manager's protocol on Bun. */
export function notifyOf(parts: NotifyParts): NotifyApi {
  return createNotify(processNotify(parts));
}
