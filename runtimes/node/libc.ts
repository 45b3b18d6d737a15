import type { LibcMissing } from "../../src/host.ts";
import { type Libc, type LibcName, libcNames, type RawFunction, signatures, wrapLibc } from "../../src/linux/libc.ts";
import { builtin } from "../shared/builtin.ts";
import { processGlobal } from "../shared/process_host.ts";

/** `node:ffi`, Node 26.1 and later. https://nodejs.org/api/ffi.html */
interface NodeFfi {
  dlopen(
    path: string | null,
    definitions: Record<string, { return: string; arguments: string[] }>,
  ): { functions: Record<string, (...args: unknown[]) => number | bigint> };
  getInt32(pointer: number | bigint): number;
}

/** npm `koffi`, an optional peer dependency for Node before 26.1. */
interface Koffi {
  load(path: string): { func(name: string, result: string, args: string[]): RawFunction };
  errno(): number;
}

function openNodeFfi(ffi: NodeFfi, arch: "x64" | "arm64"): Libc {
  // null is the program itself, which has libc in it.
  const { functions } = ffi.dlopen(null, { __errno_location: { return: "pointer", arguments: [] } });
  const link = (names: readonly LibcName[]) => {
    const definition = (name: LibcName) => ({
      return: "int32",
      arguments: signatures[name].map((type) => type === "ptr" ? "pointer" : "int32"),
    });
    const definitions = Object.fromEntries(names.map((name) => [name, definition(name)]));
    return ffi.dlopen(null, definitions).functions as Record<LibcName, RawFunction>;
  };
  return wrapLibc(arch, link, () => ffi.getInt32(functions.__errno_location()));
}

function loadLibc(koffi: Koffi): ReturnType<Koffi["load"]> {
  for (const file of libcNames) {
    try {
      return koffi.load(file);
    } catch {
      // The other libc, then.
    }
  }
  throw new Error(`none of ${libcNames.join(", ")} is there`);
}

function openKoffi(koffi: Koffi, arch: "x64" | "arm64"): Libc {
  const library = loadLibc(koffi);
  const one = (name: LibcName) => {
    const parameters = signatures[name].map((type) => type === "ptr" ? "void *" : "int");
    return library.func(name, "int", parameters);
  };
  const link = (names: readonly LibcName[]) => Object.fromEntries(names.map((name) => [name, one(name)]));
  return wrapLibc(arch, link, () => koffi.errno());
}

/** libc by node:ffi, else by koffi. */
export function openLibc(): Libc | LibcMissing {
  const { arch } = processGlobal();
  if (arch !== "x64" && arch !== "arm64") return { missing: `no layout of libc's structures is known for ${arch}` };
  const ffi = builtin<NodeFfi | undefined>("node:ffi");
  try {
    if (ffi !== undefined) return openNodeFfi(ffi, arch);
    const { createRequire } = builtin<{ createRequire(from: string): (id: string) => unknown }>("node:module");
    return openKoffi(createRequire(import.meta.url)("koffi") as Koffi, arch);
  } catch (error) {
    return {
      missing: `Node before 26.1 calls libc with the package koffi: ${(error as Error).message.split("\n")[0]}`,
    };
  }
}
