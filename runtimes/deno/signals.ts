import { canOpen } from "../../src/free_fds.ts";
import { denoHost } from "./host.ts";
import { deno } from "./types.ts";

/** Deno's signals take two descriptors, and one for a moment. */
const neededFds = 3;

/**
 * Makes Deno set up its signal handling now. It does so by itself half a second after the start, and panics if there is no descriptor
 * left for it then (Deno 2.9, ext/signals). SIGURG is ignored by default, so nothing changes for the process.
 *
 * @returns Whether it was done: not where no descriptors are left.
 */
export function setUpSignals(): boolean {
  if (canOpen(denoHost, neededFds) === false) return false;
  const nothing = () => {};
  deno().addSignalListener("SIGURG", nothing);
  deno().removeSignalListener("SIGURG", nothing);
  return true;
}
