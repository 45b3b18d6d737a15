import { createNotify } from "../../src/notify/api.ts";
import type { NotifyHost } from "../../src/notify/host.ts";
import type { NotifyApi } from "../../src/notify/types.ts";
import { processNotify } from "../shared/process_notify.ts";
import { host } from "./host.ts";
import { openFunctions } from "./libc.ts";

/** Bun as the service manager's protocol sees it. */
export const notifyHost: NotifyHost = processNotify(host, openFunctions);

/** The service manager's protocol on Bun. */
export const api: NotifyApi = createNotify(notifyHost);
