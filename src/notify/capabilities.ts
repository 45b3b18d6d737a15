import { notifyAddress } from "./address.ts";
import { monotonicUsec } from "./clock.ts";
import { variable } from "./environment.ts";
import type { NotifyHost } from "./host.ts";
import { type Way, wayTo } from "./transport.ts";
import type { NotifyCapabilities, NotifyEnvOptions, NotifyLimit } from "./types.ts";

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
export function capabilities(host: NotifyHost, options: NotifyEnvOptions = {}): NotifyCapabilities {
  const socket = variable(host, "NOTIFY_SOCKET", options);
  const way = wayTo(host, socket === undefined ? usualAddress : notifyAddress(socket));
  return { supervised: socket !== undefined, transport: way.name, cannot: limits(host, way) };
}
