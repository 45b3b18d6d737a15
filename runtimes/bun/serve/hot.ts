import type { ListenOptions } from "../../../src/types.ts";
import { processGlobal } from "../../shared/process_host.ts";

// `bun --hot` evaluates the program and its modules anew in the same process, and what they opened stays open. Bun.serve() then gives the
// server that there is already, with the new handlers; so must fd3, whose descriptor is taken.

const key: unique symbol = Symbol.for("fd3.bun.hot");

/** How often this evaluation asked for each. */
const asked = new Map<string, number>();

/** What one call of `serveNative()` serves, for the same call of the next evaluation. */
export interface HotPlace<S> {
  /** The server that an earlier evaluation made. */
  readonly served: S | undefined;
  /** Remembers the one of this. */
  keep(served: S): void;
  /** It is closed. */
  forget(): void;
}

/** Without `--hot`, nobody is remembered. */
export function hotPlace<S>({ name, fallback }: ListenOptions): HotPlace<S> | undefined {
  if (!processGlobal().execArgv.includes("--hot")) return undefined;
  const what = JSON.stringify([name, fallback]);
  const nth = asked.get(what) ?? 0;
  asked.set(what, nth + 1);
  const holder = globalThis as { [key]?: Map<string, S> };
  const servers = holder[key] ??= new Map();
  const id = `${what} ${nth}`;
  return {
    served: servers.get(id),
    keep: (served) => void servers.set(id, served),
    forget: () => void servers.delete(id),
  };
}
