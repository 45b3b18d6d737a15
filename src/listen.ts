import type { FallbackAddress } from "./activation/address.ts";
import { checkListenOptions, type Choice, choose, putBack, streamListener, take } from "./activation/choose.ts";
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

/** One that can have several sockets. */
export interface AdapterOfAll<L> extends Adapter<L> {
  /** Closes a listener that was not used yet: another socket of the same call could not be adopted. */
  undo(listener: L): void | Promise<void>;
}

async function adoptOne<L>(adapter: Adapter<L>, [choice]: readonly Choice[]): Promise<readonly L[]> {
  take(adapter.host, choice);
  try {
    return [await adapter.adopt(choice)];
  } catch (error) {
    putBack(adapter.host, choice);
    throw error;
  }
}

async function listenNow<L, A extends Adapter<L>>(
  adapter: A,
  options: ListenOptions,
  adopt: (adapter: A, choices: readonly Choice[]) => Promise<readonly L[]>,
): Promise<readonly L[]> {
  const { host } = adapter;
  const choices = choose(host, streamListener, options);
  if (choices === undefined) {
    const { chooseFallback } = await import("./activation/fallback.late.ts");
    return [await adapter.open(chooseFallback(host, options), options)];
  }
  if ("refused" in choices) throw (await import("./activation/refusal.late.ts")).refusalError(choices, host);
  return await adopt(adapter, choices);
}

/**
 * The way of everything that has one socket: the inherited one if one was passed, else the fallback. What an activated daemon does not need
 * is loaded when it is needed.
 *
 * @throws {Fd3Error} See {@linkcode Api.listen}.
 * @throws {TypeError} If an option is not of its kind, or asks for all sockets.
 * @param adapter The runtime's part.
 * @param options What the caller gave.
 */
export async function listenWith<L>(adapter: Adapter<L>, options: ListenOptions): Promise<L> {
  checkListenOptions(options);
  if (options.all === true) throw new TypeError("Cannot listen: all is true, and this has one socket");
  const [listener] = await withFreeFds(adapter.host, "listen", () => listenNow(adapter, options, adoptOne));
  return listener;
}

/**
 * The way of everything that can have several sockets, which `all` asks for. They are adopted one after the other, and all are given back
 * where one cannot be.
 *
 * @throws {Fd3Error} See {@linkcode Api.listen}.
 * @throws {TypeError} If an option is not of its kind.
 * @param adapter The runtime's part.
 * @param options What the caller gave.
 * @returns A listener for each socket, at least one.
 */
export async function listenAllWith<L>(adapter: AdapterOfAll<L>, options: ListenOptions): Promise<readonly L[]> {
  checkListenOptions(options);
  return await withFreeFds(adapter.host, "listen", async () => {
    if (options.all !== true) return await listenNow(adapter, options, adoptOne);
    const { adoptAll } = await import("./several.late.ts");
    return await listenNow(adapter, options, adoptAll);
  });
}
