import type { NotifyParts } from "./host.ts";
import type { NotifyApi } from "./types.ts";

/** The part of a runtime that is loaded. */
export interface NotifyModule {
  notifyOf(parts: NotifyParts): NotifyApi;
}

/**
 * The service manager's protocol, whose code is loaded on the first call: a service that only listens does not wait for it. From then
 * on a call goes straight through.
 *
 * @param load Loads the runtime's part.
 * @param parts What it is made of, asked for when it is loaded.
 */
export function facade(load: () => Promise<NotifyModule>, parts: () => NotifyParts): NotifyApi {
  let loaded: NotifyApi | undefined;
  let loading: Promise<NotifyApi> | undefined;
  const start = () => {
    if (loading !== undefined) return loading;
    loading = load().then(({ notifyOf }) => notifyOf(parts()));
    // As a reaction like those of the calls that wait: none that comes later overtakes them. Where there was no descriptor for it, the next
    // call tries again.
    loading.then((api) => loaded = api, () => loading = undefined);
    return loading;
  };
  const call = <T>(use: (api: NotifyApi) => Promise<T>) => loaded === undefined ? start().then(use) : use(loaded);
  return {
    notify: (state, options) => call((api) => api.notify(state, options)),
    barrier: (timeoutMs, options) => call((api) => api.barrier(timeoutMs, options)),
    storeFd: (name, fd, options) => call((api) => api.storeFd(name, fd, options)),
    removeFd: (name, options) => call((api) => api.removeFd(name, options)),
    dropFd: (passed, options) => call((api) => api.dropFd(passed, options)),
    watchdog: (options) => call((api) => api.watchdog(options)),
    capabilities: (options) => call((api) => api.capabilities(options)),
  };
}
