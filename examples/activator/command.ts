import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime } from "./host.ts";

/**
 * The command line that runs a script on the runtime that we run on.
 *
 * @param script Its address.
 * @param permissions The flags that it needs on Deno.
 */
export function commandFor(script: URL, permissions: readonly string[]): string[] {
  return [process.execPath, ...flags(permissions), fileURLToPath(script)];
}

function flags(permissions: readonly string[]): string[] {
  if (runtime === "Deno") return ["run", "--no-prompt", ...permissions];
  if (runtime === "Bun") return [];
  // The warning would be about node:ffi.
  const quiet = "--disable-warning=ExperimentalWarning";
  const { typescript } = process.features as { typescript?: string | false };
  // Node before 22.18 does not run TypeScript. The full address of tsx works in whichever folder we are.
  return typescript ? [quiet] : [quiet, "--import", import.meta.resolve("tsx")];
}
