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
import { builtin } from "../shared/common.ts";
import { processGlobal } from "../shared/process_host.ts";

/** `bun:ffi`. https://bun.com/docs/runtime/ffi */
interface BunFfi {
  dlopen(
    path: string,
    symbols: Record<string, { args: string[]; returns: string }>,
  ): { symbols: Record<string, (...args: unknown[]) => number> };
  read: { i32(pointer: number, offset: number): number };
  ptr(buffer: Uint8Array): number;
}

/** Functions of libc by bun:ffi. */
export function openBunFunctions<S extends Signatures>(signatures: S): LibcOf<S> | LibcMissing {
  const { arch } = processGlobal();
  if (arch !== "x64" && arch !== "arm64") return { missing: `no layout of libc's structures is known for ${arch}` };
  const ffi = builtin<BunFfi>("bun:ffi");
  const definitions: Record<string, { args: string[]; returns: string }> = {
    __errno_location: { args: [], returns: "ptr" },
  };
  for (const name of Object.keys(signatures)) {
    definitions[name] = { args: [...signatures[name]], returns: "i32" };
  }
  let cause = "";
  for (const file of libcNames) {
    try {
      // All at once: the first takes bun:ffi 0.15 ms, any more of them next to nothing.
      const { symbols } = ffi.dlopen(file, definitions);
      const errno = () => ffi.read.i32(symbols.__errno_location(), 0);
      const link = () => symbols as Record<keyof S, RawFunction>;
      return wrapLibc(signatures, { arch, link, errno, address: (buffer) => BigInt(ffi.ptr(buffer)) });
    } catch (error) {
      cause = (error as Error).message;
    }
  }
  return { missing: cause };
}

/** libc by bun:ffi. */
export function openBunLibc(): Libc | LibcMissing {
  return openBunFunctions(signatures);
}
