import { barrier } from "./barrier.ts";
import { capabilities } from "./capabilities.ts";
import { dropFd } from "./drop_fd.ts";
import type { NotifyHost } from "./host.ts";
import { notify } from "./notify.ts";
import type { NotifyApi } from "./types.ts";
import { watchdog } from "./watchdog.ts";

/** The service manager's protocol on one runtime. Each function does what it can before it returns. */
export function createNotify(host: NotifyHost): NotifyApi {
  return {
    // The functions underneath throw: async makes rejections of that.
    notify: async (state, options) => await notify(host, state, options),
    barrier: (timeoutMs, options) => barrier(host, timeoutMs, options),
    storeFd: async (name, fds, { poll, ...options } = {}) =>
      await notify(host, { fdStore: { name, fds, poll } }, options, "store a descriptor"),
    removeFd: async (name, options) =>
      await notify(host, { fdStoreRemove: name }, options, "remove a stored descriptor"),
    dropFd: async (passed, options) => await dropFd(host, passed, options),
    watchdog: (options) => new Promise((resolve) => resolve(watchdog(host, options))),
    capabilities: (options) => new Promise((resolve) => resolve(capabilities(host, options))),
  };
}
