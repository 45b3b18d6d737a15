import type { FallbackAddress } from "./activation/address.ts";
import { checkListenOptions, type Choice, chooseStreamListener, putBack, take } from "./activation/choose.ts";
import { withFreeFds } from "./free_fds.ts";
import type { Host } from "./host.ts";
import type { FileAccess, ListenOptions } from "./types.ts";

/** How one runtime makes a listener `L` of a descriptor, or of an address. */
export interface Adapter<L> {
  readonly host: Host;
  /** On a failure the descriptor must be as it was: it is put back. */
  adopt(choice: Choice): L | Promise<L>;
  open(address: FallbackAddress, access: FileAccess): L | Promise<L>;
}

/**
 * The way of every `listen()`: the inherited socket if one was passed, else the fallback. What an activated daemon does not need is
 * loaded when it is needed.
 *
 * @throws {Fd3Error} See {@linkcode Api.listen}.
 * @param adapter The runtime's part.
 * @param options What the caller gave.
 */
export async function listenWith<L>(adapter: Adapter<L>, options: ListenOptions): Promise<L> {
  checkListenOptions(options);
  return await withFreeFds(adapter.host, "listen", () => listenNow(adapter, options));
}

async function listenNow<L>(adapter: Adapter<L>, options: ListenOptions): Promise<L> {
  const choice = chooseStreamListener(adapter.host, options);
  if (choice === undefined) {
    const { chooseFallback } = await import("./activation/fallback.ts");
    return await adapter.open(chooseFallback(adapter.host, options), options);
  }
  if ("refused" in choice) throw (await import("./activation/refusal.ts")).refusalError(choice, adapter.host);
  take(adapter.host, choice);
  try {
    return await adapter.adopt(choice);
  } catch (error) {
    putBack(adapter.host, choice);
    throw error;
  }
}
