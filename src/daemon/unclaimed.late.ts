import { kindOf } from "../activation/choose.ts";
import type { Host } from "../host.ts";
import { kindText } from "../linux/kind_text.ts";
import { quoted } from "../quoted.ts";
import type { ListenFd } from "../types.ts";

/** Where a socket is, as far as that is known: ` at /run/foobar.sk`. */
function placeOf(kind: ReturnType<typeof kindOf>): string {
  if (kind?.is !== "socket" || kind.address === undefined) return "";
  const { address } = kind;
  if (address.transport === "unix") return address.path === "" ? "" : ` at ${address.path}`;
  return address.transport === "tcp" ? ` at ${address.hostname} port ${address.port}` : ` at port ${address.port}`;
}

/**
 * Warns of descriptors that a daemon was passed and does not use, once it is ready: the clients of a socket that is not accepted from wait,
 * and no error tells them.
 */
export function warnOfUnclaimed(host: Host, unclaimed: readonly ListenFd[]): void {
  const list = unclaimed.map(({ fd, name }) => {
    const kind = kindOf(fd, host);
    const what = kind === undefined ? "" : ` (${kindText(kind).replace(/^it is /, "")}${placeOf(kind)})`;
    return `fd ${fd} ${quoted(name)}${what}`;
  });
  const were = list.length === 1 ? "was" : "were";
  host.warn(
    `${
      list.join(", ")
    } ${were} passed and not used, and clients of a listening socket wait in vain: take it by its name with listen(), ` +
      "serve() or takeFd(), or close it with dropFd()",
  );
}
