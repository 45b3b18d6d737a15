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

const names = Object.keys(signatures) as LibcName[];

function openNodeFfi(ffi: NodeFfi, arch: "x64" | "arm64"): Libc {
  const definitions: Record<string, { return: string; arguments: string[] }> = {
    __errno_location: { return: "pointer", arguments: [] },
  };
  for (const name of names) {
    const args = signatures[name].map((type) => type === "ptr" ? "pointer" : "int32");
    definitions[name] = { return: "int32", arguments: args };
  }
  // null is the program itself, which has libc in it.
  const { functions } = ffi.dlopen(null, definitions);
  const errno = () => ffi.getInt32(functions.__errno_location());
  return wrapLibc(arch, functions as Record<LibcName, RawFunction>, errno);
}

function openKoffi(koffi: Koffi, arch: "x64" | "arm64"): Libc {
  let library: ReturnType<Koffi["load"]> | undefined;
  for (const file of libcNames) {
    try {
      library ??= koffi.load(file);
    } catch {
      // The other libc, then.
    }
  }
  if (library === undefined) throw new Error(`none of ${libcNames.join(", ")} is there`);
  const raw = {} as Record<LibcName, RawFunction>;
  for (const name of names) {
    raw[name] = library.func(name, "int", signatures[name].map((type) => type === "ptr" ? "void *" : "int"));
  }
  return wrapLibc(arch, raw, () => koffi.errno());
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
