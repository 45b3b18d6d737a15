import { deno } from "./types.ts";

/**
 * Makes Deno set up its signal handling now. It does so by itself half a second after the start, and panics if there is no descriptor
 * left for it then (Deno 2.9, ext/signals). SIGURG is ignored by default, so nothing changes for the process.
 */
export function setUpSignals(): void {
  const nothing = () => {};
  deno().addSignalListener("SIGURG", nothing);
  deno().removeSignalListener("SIGURG", nothing);
}
