import { Fd3Error } from "../errors.ts";
import { quoted } from "../quoted.ts";
import { systemError } from "../system_error.ts";
import type { ServiceHost } from "./host.ts";
import type { Credential, DirectoryKind } from "./types.ts";

/** See {@linkcode ServiceApi.booted}: sd_booted(3) looks for the folder of systemd's own units. */
export function booted(host: ServiceHost): boolean {
  try {
    return host.exists("/run/systemd/system/");
  } catch (error) {
    throw systemError("look for systemd", error);
  }
}

/** See {@linkcode ServiceApi.credential}. */
export function credential(host: ServiceHost, name: string): Credential | undefined {
  // credential_name_valid() of systemd: a file's name that could be a descriptor's, too.
  if (typeof name !== "string" || !/^[ -.0-9;-~]{1,255}$/.test(name) || name === "." || name === "..") {
    throw new TypeError(`Cannot read a credential: ${quoted(name)} is no name of one`);
  }
  const folder = host.env("CREDENTIALS_DIRECTORY");
  if (folder === undefined) return undefined;
  if (!folder.startsWith("/")) {
    const found = `CREDENTIALS_DIRECTORY is ${quoted(folder)}, not an absolute path`;
    throw new Fd3Error("EINVAL", `Cannot read the credential ${quoted(name)}: ${found}`);
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = host.readFile(`${folder}/${name}`);
  } catch (error) {
    throw systemError(`read the credential ${quoted(name)}`, error);
  }
  if (bytes === undefined) return undefined;
  return { name, bytes, text: () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
}

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
