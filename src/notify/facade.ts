import type { NotifyApi } from "./types.ts";

/**
 * The service manager's protocol, whose code is loaded on the first call: a service that only listens does not wait for it. From then
 * on a call goes straight through.
 *
 * @param load Loads the runtime's part.
 */
export function facade(load: () => Promise<{ readonly api: NotifyApi }>): NotifyApi {
  let loaded: NotifyApi | undefined;
  let loading: Promise<NotifyApi> | undefined;
  const start = () => loading ??= load().then(({ api }) => loaded = api);
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
