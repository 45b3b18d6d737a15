import type { LibcMissing } from "../../src/host.ts";
import { type Libc, type LibcName, libcNames, type RawFunction, signatures, wrapLibc } from "../../src/linux/libc.ts";
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

function definitions(names: readonly LibcName[]): Record<string, { parameters: string[]; result: string }> {
  const symbols: Record<string, { parameters: string[]; result: string }> = {};
  for (const name of names) {
    const parameters = signatures[name].map((type) => type === "ptr" ? "buffer" : "i32");
    symbols[name] = { parameters, result: "i32" };
  }
  return symbols;
}

/** libc by Deno.dlopen, if --allow-ffi covers it. Nothing prompts. */
export function openLibc(): Libc | LibcMissing {
  const { build, permissions, dlopen, UnsafePointerView } = deno();
  const arch = build.arch === "x86_64" ? "x64" : build.arch === "aarch64" ? "arm64" : undefined;
  if (arch === undefined) return { missing: `no layout of libc's structures is known for ${build.arch}` };
  let cause = "Deno calls libc with --allow-ffi";
  for (const path of paths) {
    if (permissions.querySync({ name: "ffi", path }).state !== "granted") continue;
    try {
      const { __errno_location: location } =
        dlopen(path, { __errno_location: { parameters: [], result: "pointer" } }).symbols;
      const link = (names: readonly LibcName[]) =>
        dlopen(path, definitions(names)).symbols as Record<LibcName, RawFunction>;
      return wrapLibc(arch, link, () => new UnsafePointerView(location()).getInt32());
    } catch (error) {
      cause = (error as Error).message;
    }
  }
  return { missing: cause };
}
