import type { LibcMissing } from "../../src/host.ts";
import {
  atStart,
  type Libc,
  libcNames,
  type LibcOf,
  type Names,
  type RawFunction,
  type Signatures,
  signatures,
  wrapLibc,
} from "../../src/linux/libc.ts";
import { builtin } from "../shared/common.ts";
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

function openNodeFfi<S extends Signatures>(
  ffi: NodeFfi,
  arch: "x64" | "arm64",
  signatures: S,
  atOnce?: Names<S>,
): LibcOf<S> {
  // null is the program itself, which has libc in it.
  const { functions } = ffi.dlopen(null, { __errno_location: { return: "pointer", arguments: [] } });
  const link = (names: Names<S>) => {
    const definition = (name: string) => ({
      return: "int32",
      arguments: signatures[name].map((type) => type === "ptr" ? "pointer" : "int32"),
    });
    const definitions = Object.fromEntries(names.map((name) => [name, definition(name)]));
    return ffi.dlopen(null, definitions).functions as Record<keyof S, RawFunction>;
  };
  const errno = () => ffi.getInt32(functions.__errno_location());
  return wrapLibc(signatures, { arch, link, errno, address: (buffer) => ffi.getRawPointer(buffer) }, atOnce);
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

function openKoffi<S extends Signatures>(
  koffi: Koffi,
  arch: "x64" | "arm64",
  signatures: S,
  atOnce?: Names<S>,
): LibcOf<S> {
  const library = loadLibc(koffi);
  const one = (name: string) => {
    const parameters = signatures[name].map((type) => type === "ptr" ? "void *" : "int");
    return library.func(name, "int", parameters);
  };
  const link = (names: Names<S>) =>
    Object.fromEntries(names.map((name) => [name, one(name)])) as Record<keyof S, RawFunction>;
  const address = (buffer: Uint8Array) => koffi.address(buffer);
  return wrapLibc(signatures, { arch, link, errno: () => koffi.errno(), address }, atOnce);
}

/**
 * koffi, beside fd3 or else beside the program: code that was bundled as CommonJS, as in a single executable, does not know its own place.
 *
 * @throws What Node says where it is not there.
 */
function loadKoffi(): Koffi {
  const { createRequire } = builtin<{ createRequire(from: string): (id: string) => unknown }>("node:module");
  const { url } = import.meta as { url?: string };
  const { argv, execPath } = processGlobal();
  // In a single executable that is as it was called.
  const program = argv[1]?.startsWith("/") ? argv[1] : execPath;
  const beside = (place: string) => createRequire(place)("koffi") as Koffi;
  if (url === undefined) return beside(program);
  try {
    return beside(url);
  } catch (error) {
    try {
      return beside(program);
    } catch {
      throw error;
    }
  }
}

/** Functions of libc by node:ffi, else by koffi. */
export function openNodeFunctions<S extends Signatures>(signatures: S, atOnce?: Names<S>): LibcOf<S> | LibcMissing {
  const { arch } = processGlobal();
  if (arch !== "x64" && arch !== "arm64") return { missing: `no layout of libc's structures is known for ${arch}` };
  const ffi = builtin<NodeFfi | undefined>("node:ffi");
  try {
    if (ffi !== undefined) return openNodeFfi(ffi, arch, signatures, atOnce);
    return openKoffi(loadKoffi(), arch, signatures, atOnce);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const why = code === "MODULE_NOT_FOUND" ? "npm install koffi" : message.split("\n")[0];
    return { missing: `Node before 26.1 calls libc with the package koffi: ${why}` };
  }
}

/** libc by node:ffi, else by koffi. */
export function openNodeLibc(): Libc | LibcMissing {
  return openNodeFunctions(signatures, atStart);
}
