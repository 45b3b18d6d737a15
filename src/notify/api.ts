import { barrier } from "./barrier.ts";
import { dropFd } from "./drop_fd.ts";
import type { NotifyHost } from "./host.ts";
import { monotonicUsec, notify } from "./notify.ts";
import type { NotifyApi, NotifyCapabilities, NotifyEnvOptions, NotifyLimit } from "./types.ts";
import { watchdog } from "./watchdog.ts";
import { notifyAddress, type Way, wayTo } from "./transport.ts";
import { variable } from "./manager.ts";

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

/** Where systemd has it, for when nobody says: what it takes to get there is the same everywhere. */
const usualAddress = "/run/systemd/notify";

function limits(host: NotifyHost, way: Way): Partial<Record<NotifyLimit, string>> {
  const cannot: Partial<Record<NotifyLimit, string>> = {};
  if (way.name !== "ffi") {
    const names: NotifyLimit[] = ["pid", "barrier", "storeFd"];
    if (way.name === "none") names.unshift("notify");
    for (const name of names) cannot[name] = way.missing;
  }
  if (way.name === "systemd-notify") {
    cannot.notifyAccessMain = "only root's systemd-notify speaks for its parent: other users need NotifyAccess=all";
  }
  const now = monotonicUsec(host);
  if (typeof now !== "bigint") cannot.monotonicUsec = now.missing;
  return cannot;
}

/** See {@linkcode NotifyApi.capabilities}. */
function capabilities(host: NotifyHost, options: NotifyEnvOptions = {}): NotifyCapabilities {
  const socket = variable(host, "NOTIFY_SOCKET", options);
  const way = wayTo(host, socket === undefined ? usualAddress : notifyAddress(socket));
  return { supervised: socket !== undefined, transport: way.name, cannot: limits(host, way) };
}
