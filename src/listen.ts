import { type FallbackAddress, fallbackAddress } from "./activation/address.ts";
import { checkListenOptions, type Choice, chooseStreamListener, putBack, take } from "./activation/choose.ts";
import type { Host } from "./host.ts";
import type { ListenOptions } from "./types.ts";

/** How one runtime makes a listener `L` of a descriptor, or of an address. */
export interface Adapter<L> {
  readonly host: Host;
  /** On a failure the descriptor must be as it was: it is put back. */
  adopt(choice: Choice): L | Promise<L>;
  open(address: FallbackAddress, mode: number | undefined): L | Promise<L>;
}

/**
 * The way of every `listen()`: the inherited socket if one was passed, else the fallback.
 *
 * @throws {Fd3Error} See {@linkcode Api.listen}.
 * @param adapter The runtime's part.
 * @param options What the caller gave.
 */
export async function listenWith<L>(adapter: Adapter<L>, options: ListenOptions): Promise<L> {
  checkListenOptions(options);
  const fallback = options.fallback === undefined ? undefined : fallbackAddress(options.fallback);
  const choice = chooseStreamListener(adapter.host, options);
  if (choice === undefined) return await adapter.open(fallback!, options.mode);
  take(adapter.host, choice);
  try {
    return await adapter.adopt(choice);
  } catch (error) {
    putBack(adapter.host, choice);
    throw error;
  }
}
