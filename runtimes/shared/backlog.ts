import type { Choice } from "../../src/activation/choose.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import { backlogOf } from "../../src/linux/backlog.ts";

/** The accept queue's length of a chosen listener; `undefined` without libc, or where the kernel does not say. */
export function inheritedBacklog(host: Host, { fd, kind }: Choice): number | undefined {
  const libc = host.libc();
  if (!hasLibc(libc) || kind?.is !== "socket" || kind.address === undefined) return undefined;
  return backlogOf(libc, fd, kind.address.transport);
}
