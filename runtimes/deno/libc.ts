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
import { deno } from "./types.ts";

/**
 * Where libc may be. A name without a folder wants the whole --allow-ffi; --allow-ffi=PATH covers only the same absolute path.
 */
const paths: readonly string[] = [
  ...libcNames,
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "/usr/lib/x86_64-linux-gnu/libc.so.6",
  "/usr/lib/aarch64-linux-gnu/libc.so.6",
  "/lib64/libc.so.6",
  "/usr/lib64/libc.so.6",
  "/usr/lib/libc.so.6",
];

function definitions(
  signatures: Signatures,
  names: readonly string[],
): Record<string, { parameters: string[]; result: string }> {
  const symbols: Record<string, { parameters: string[]; result: string }> = {};
  for (const name of names) {
    const parameters = signatures[name].map((type) => type === "ptr" ? "buffer" : "i32");
    symbols[name] = { parameters, result: "i32" };
  }
  return symbols;
}

/** Functions of libc by Deno.dlopen, if --allow-ffi covers it. Nothing prompts. */
export function openDenoFunctions<S extends Signatures>(signatures: S, atOnce?: Names<S>): LibcOf<S> | LibcMissing {
  const { build, permissions, dlopen, UnsafePointer, UnsafePointerView } = deno();
  const arch = build.arch === "x86_64" ? "x64" : build.arch === "aarch64" ? "arm64" : undefined;
  if (arch === undefined) return { missing: `no layout of libc's structures is known for ${build.arch}` };
  let cause = "Deno calls libc with --allow-ffi";
  for (const path of paths) {
    if (permissions.querySync({ name: "ffi", path }).state !== "granted") continue;
    try {
      const { __errno_location: location } =
        dlopen(path, { __errno_location: { parameters: [], result: "pointer" } }).symbols;
      const link = (names: readonly string[]) =>
        dlopen(path, definitions(signatures, names)).symbols as Record<keyof S, RawFunction>;
      const errno = () => new UnsafePointerView(location()).getInt32();
      const address = (buffer: Uint8Array) => UnsafePointer.value(UnsafePointer.of(buffer));
      return wrapLibc(signatures, { arch, link, errno, address }, atOnce);
    } catch (error) {
      cause = (error as Error).message;
    }
  }
  return { missing: cause };
}

/** libc by Deno.dlopen. */
export function openDenoLibc(): Libc | LibcMissing {
  return openDenoFunctions(signatures, atStart);
}
