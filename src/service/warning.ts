import { log } from "./log.ts";
import type { ServiceHost } from "./host.ts";

// On globalThis, not in this module: two copies of the package may meet, and `bun --hot` evaluates a module twice.
const key: unique symbol = Symbol.for("fd3.warned");

/** Logs a warning, the first time in this process. */
export function warnOnce(host: ServiceHost, warning: string): void {
  const holder = globalThis as { [key]?: Set<string> };
  const warned = holder[key] ??= new Set();
  if (warned.has(warning)) return;
  warned.add(warning);
  log(host, "warning", `fd3: ${warning}`);
}
