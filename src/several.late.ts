import { type Choice, putBack, take } from "./activation/choose.ts";
import { hasLibc, type Host } from "./host.ts";
import { F_DUPFD_CLOEXEC, O_CLOEXEC } from "./linux/constants.ts";
import { errnoError, systemError } from "./system_error.ts";

export { joined } from "./stream/joined.ts";

/**
 * Duplicates of descriptors, with which they can be given back: a listener that is closed closes its descriptor as well. Without libc there
 * are none.
 */
class Copies {
  readonly #host: Host;
  readonly #copies = new Map<number, number>();

  /** @throws {Fd3Error} `EMFILE` where there is no descriptor for one. */
  constructor(host: Host, fds: readonly number[]) {
    this.#host = host;
    const libc = host.libc();
    if (!hasLibc(libc)) return;
    for (const fd of fds) {
      const copy = libc.fcntl(fd, F_DUPFD_CLOEXEC, 3);
      if (copy >= 0) {
        this.#copies.set(fd, copy);
        continue;
      }
      this.close();
      throw systemError(`listen on fd ${fd}`, errnoError(copy));
    }
  }

  /** Puts a descriptor back in its place; tells whether that was done. */
  restore(fd: number): boolean {
    const libc = this.#host.libc();
    const copy = this.#copies.get(fd);
    return copy !== undefined && hasLibc(libc) && libc.dup3(copy, fd, O_CLOEXEC) >= 0;
  }

  close(): void {
    const libc = this.#host.libc();
    if (hasLibc(libc)) { for (const copy of this.#copies.values()) libc.close(copy); }
    this.#copies.clear();
  }
}

/** How one runtime makes a listener `L` of a descriptor, and closes one that was not used yet. */
interface Adopter<L> {
  readonly host: Host;
  adopt(choice: Choice): L | Promise<L>;
  undo(listener: L): void | Promise<void>;
}

async function undoAll<L>(adapter: Adopter<L>, listeners: readonly L[]): Promise<void> {
  for (const listener of listeners) {
    try {
      await adapter.undo(listener);
    } catch {
      // What kept the next one from being adopted is what the caller is told.
    }
  }
}

/**
 * Takes and adopts several descriptors.
 *
 * @throws What the adapter throws; then none is taken. Without libc, those that were adopted by then are closed.
 * @param adapter The runtime's part.
 * @param choices The descriptors, not yet taken.
 */
export async function adoptAll<L>(adapter: Adopter<L>, choices: readonly Choice[]): Promise<readonly L[]> {
  const { host } = adapter;
  const copies = new Copies(host, choices.length > 1 ? choices.map(({ fd }) => fd) : []);
  // All of them before the event loop turns: another call must not choose them meanwhile.
  for (const choice of choices) take(host, choice);
  const adopted: L[] = [];
  try {
    for (const choice of choices) adopted.push(await adapter.adopt(choice));
    return adopted;
  } catch (error) {
    await undoAll(adapter, adopted);
    choices.forEach((choice, i) => {
      if (i >= adopted.length || copies.restore(choice.fd)) putBack(host, choice);
    });
    throw error;
  } finally {
    copies.close();
  }
}
