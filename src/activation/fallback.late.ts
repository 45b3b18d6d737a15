import { Fd3Error } from "../errors.ts";
import type { Host } from "../host.ts";
import { variable } from "../notify/manager.ts";
import type { ListenOptions } from "../types.ts";
import { type FallbackAddress, fallbackAddress, formatAddress } from "./address.ts";
import { table } from "./table.ts";
import { explainNothing } from "./wrapper.ts";

// Nothing was passed to this process, so its fallback is to be opened: this is loaded then.

/** How a process knows that a service manager started it; `undefined` where nothing says so. */
function supervision(host: Host): string | undefined {
  // systemd.exec(5), since 248: a terminal that is a service itself hands it on, but then it is another's.
  if (Number(host.env("SYSTEMD_EXEC_PID")) === host.pid()) return "SYSTEMD_EXEC_PID is this process";
  // notify() takes it out of the environment, and remembers it.
  return variable(host, "NOTIFY_SOCKET", { keepEnv: true }) === undefined ? undefined : "NOTIFY_SOCKET is set";
}

/**
 * The address to open.
 *
 * @throws {Fd3Error} `ERR_FD3_NO_FDS` where the fallback is not for this.
 * @throws {TypeError} If it is no address.
 */
export function chooseFallback(host: Host, options: ListenOptions): FallbackAddress {
  const address = fallbackAddress(options.fallback!);
  const { env, claimed } = table(host, { keepEnv: true });
  // What was passed went to takeFd(), or somebody else was passed it: a wrapper, say, and then clients wait at a socket that nobody serves.
  const lost = claimed.size === 0 ? explainNothing(env, host) : undefined;
  if (options.fallbackFor === "unsupervised") {
    const why = lost ?? supervision(host);
    if (why !== undefined) {
      const text = "the fallback is for a process that no service manager started";
      throw new Fd3Error("ERR_FD3_NO_FDS", `No file descriptors received: ${why}; ${text}`);
    }
  } else if (lost !== undefined) {
    host.warn(`uses the fallback ${formatAddress(address)}, not a socket that was passed: ${lost}`);
  }
  return address;
}
