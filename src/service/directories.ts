import type { ServiceHost } from "./host.ts";
import type { DirectoryKind } from "./types.ts";

const variables: Readonly<Record<DirectoryKind, string>> = {
  state: "STATE_DIRECTORY",
  runtime: "RUNTIME_DIRECTORY",
  cache: "CACHE_DIRECTORY",
  logs: "LOGS_DIRECTORY",
  configuration: "CONFIGURATION_DIRECTORY",
};

/** See {@linkcode ServiceApi.directories}. */
export function directories(host: ServiceHost, kind: DirectoryKind): string[] {
  if (!Object.hasOwn(variables, kind)) {
    const allowed = Object.keys(variables).join(", ");
    throw new TypeError(`Cannot list directories: the kind is ${String(kind)}, not one of ${allowed}`);
  }
  return (host.env(variables[kind]) ?? "").split(":").filter((path) => path !== "");
}
