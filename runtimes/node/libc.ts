import type { LibcMissing } from "../../src/host.ts";
import {
  type Libc,
  libcNames,
  type LibcOf,
  type RawFunction,
  type Signatures,
  signatures,
  wrapLibc,
} from "../../src/linux/libc.ts";
import { builtin } from "../shared/builtin.ts";
import { processGlobal } from "../shared/process_host.ts";

/** `node:ffi`, Node 26.1 and later. https://nodejs.org/api/ffi.html */
interface NodeFfi {
  dlopen(
    path: string | null,
    definitions: Record<string, { return: string; arguments: string[] }>,
  ): { functions: Record<string, (...args: unknown[]) => number | bigint> };
  getInt32(pointer: number | bigint): number;
  getRawPointer(buffer: Uint8Array): bigint;
}

/** npm `koffi`, an optional peer dependency for Node before 26.1. */
interface Koffi {
  load(path: string): { func(name: string, result: string, args: string[]): RawFunction };
  errno(): number;
  address(buffer: Uint8Array): bigint;
}

function openNodeFfi<S extends Signatures>(ffi: NodeFfi, arch: "x64" | "arm64", signatures: S): LibcOf<S> {
  const definitions: Record<string, { return: string; arguments: string[] }> = {
    __errno_location: { return: "pointer", arguments: [] },
  };
  for (const name of Object.keys(signatures)) {
    const args = signatures[name].map((type) => type === "ptr" ? "pointer" : "int32");
    definitions[name] = { return: "int32", arguments: args };
  }
  // null is the program itself, which has libc in it.
  const { functions: found } = ffi.dlopen(null, definitions);
  const errno = () => ffi.getInt32(found.__errno_location());
  const functions = found as Record<keyof S, RawFunction>;
  return wrapLibc(signatures, { arch, functions, errno, address: (buffer) => ffi.getRawPointer(buffer) });
}

function openKoffi<S extends Signatures>(koffi: Koffi, arch: "x64" | "arm64", signatures: S): LibcOf<S> {
  let library: ReturnType<Koffi["load"]> | undefined;
  for (const file of libcNames) {
    try {
      library ??= koffi.load(file);
    } catch {
      // The other libc, then.
    }
  }
  if (library === undefined) throw new Error(`none of ${libcNames.join(", ")} is there`);
  const raw: Record<string, RawFunction> = {};
  for (const name of Object.keys(signatures)) {
    raw[name] = library.func(name, "int", signatures[name].map((type) => type === "ptr" ? "void *" : "int"));
  }
  const functions = raw as Record<keyof S, RawFunction>;
  const address = (buffer: Uint8Array) => koffi.address(buffer);
  return wrapLibc(signatures, { arch, functions, errno: () => koffi.errno(), address });
}

/** Functions of libc by node:ffi, else by koffi. */
export function openFunctions<S extends Signatures>(signatures: S): LibcOf<S> | LibcMissing {
  const { arch } = processGlobal();
  if (arch !== "x64" && arch !== "arm64") return { missing: `no layout of libc's structures is known for ${arch}` };
  const ffi = builtin<NodeFfi | undefined>("node:ffi");
  try {
    if (ffi !== undefined) return openNodeFfi(ffi, arch, signatures);
    const { createRequire } = builtin<{ createRequire(from: string): (id: string) => unknown }>("node:module");
    return openKoffi(createRequire(import.meta.url)("koffi") as Koffi, arch, signatures);
  } catch (error) {
    return {
      missing: `Node before 26.1 calls libc with the package koffi: ${(error as Error).message.split("\n")[0]}`,
    };
  }
}

/** libc by node:ffi, else by koffi. */
export function openLibc(): Libc | LibcMissing {
  return openFunctions(signatures);
}
