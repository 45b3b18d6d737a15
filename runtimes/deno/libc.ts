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
import { deno, type DenoSymbols } from "./types.ts";

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

/**
 * How a result is declared: a struct of one field, which x86-64 and arm64 return like the field itself. For a call with a plain result
 * Deno compiles machine code when it links it, 0.15 ms a function, to save some µs of each call; fd3 calls few, and starts often.
 */
const resultOf = { int: { struct: ["i32"] }, pointer: { struct: ["pointer"] } };

function definitions(signatures: Signatures, names: readonly string[]): DenoSymbols {
  const symbols: DenoSymbols = { __errno_location: { parameters: [], result: resultOf.pointer } };
  for (const name of names) {
    const parameters = signatures[name].map((type) => type === "ptr" ? "buffer" : "i32");
    symbols[name] = { parameters, result: resultOf.int };
  }
  return symbols;
}

/** The libc at a path. */
function openAt<S extends Signatures>(path: string, signatures: S, arch: "x64" | "arm64", atOnce?: Names<S>) {
  const { dlopen, UnsafePointer, UnsafePointerView } = deno();
  let location: () => Uint8Array;
  const link = (names: Names<S>) => {
    const { symbols } = dlopen(path, definitions(signatures, names));
    location = symbols.__errno_location;
    const functions: Partial<Record<keyof S, RawFunction>> = {};
    for (const name of names) functions[name] = (...args) => new Int32Array(symbols[name](...args).buffer)[0];
    return functions;
  };
  const errno = () => {
    const [address] = new BigUint64Array(location().buffer);
    return new UnsafePointerView(UnsafePointer.create(address)).getInt32();
  };
  const address = (buffer: Uint8Array) => UnsafePointer.value(UnsafePointer.of(buffer));
  return wrapLibc(signatures, { arch, link, errno, address }, atOnce);
}

/** Functions of libc by Deno.dlopen, if --allow-ffi covers it. Nothing prompts. */
export function openDenoFunctions<S extends Signatures>(signatures: S, atOnce?: Names<S>): LibcOf<S> | LibcMissing {
  const { build, permissions } = deno();
  const arch = build.arch === "x86_64" ? "x64" : build.arch === "aarch64" ? "arm64" : undefined;
  if (arch === undefined) return { missing: `no layout of libc's structures is known for ${build.arch}` };
  let cause = "Deno calls libc with --allow-ffi";
  for (const path of paths) {
    if (permissions.querySync({ name: "ffi", path }).state !== "granted") continue;
    try {
      return openAt(path, signatures, arch, atOnce);
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
