import type { ListenOptions } from "../../../src/types.ts";
import { processGlobal } from "../../shared/process_host.ts";
import type { BunServer } from "../types.ts";

// `bun --hot` evaluates the program and its modules anew in the same process, and what they opened stays open. Bun.serve() then gives the
// server that there is already, with the new handlers; so must fd3, whose descriptor is taken.

const key: unique symbol = Symbol.for("fd3.bun.hot");

/** How often this evaluation asked for each. */
const asked = new Map<string, number>();

/** What one call of `serveNative()` serves, for the same call of the next evaluation. */
export interface HotPlace {
  /** The server that an earlier evaluation made. */
  readonly server: BunServer | undefined;
  /** Remembers the one of this. */
  keep(server: BunServer): void;
  /** It is closed. */
  forget(): void;
}

/** Without `--hot`, nobody is remembered. */
export function hotPlace({ name, fallback }: ListenOptions): HotPlace | undefined {
  if (!processGlobal().execArgv.includes("--hot")) return undefined;
  const what = JSON.stringify([name, fallback]);
  const nth = asked.get(what) ?? 0;
  asked.set(what, nth + 1);
  const holder = globalThis as { [key]?: Map<string, BunServer> };
  const servers = holder[key] ??= new Map();
  const id = `${what} ${nth}`;
  return {
    server: servers.get(id),
    keep: (server) => void servers.set(id, server),
    forget: () => void servers.delete(id),
  };
}
