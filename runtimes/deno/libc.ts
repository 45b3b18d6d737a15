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
import { deno, type DenoSymbols, isGranted } from "./types.ts";

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
const resultOf = { int: { struct: ["i32"] }, pointer: { struct: ["u64"] } };

/**
 * Functions for what `Deno.UnsafePointer` does, which wants the whole --allow-ffi, whatever path was given: memcpy(3) takes an address as a
 * number, and gives that of its first argument.
 */
const pointers: DenoSymbols = {
  __errno_location: { parameters: [], result: resultOf.pointer },
  memcpy: { parameters: ["buffer", "u64", "u64"], result: resultOf.pointer },
};

function definitions(signatures: Signatures, names: readonly string[]): DenoSymbols {
  const symbols: DenoSymbols = { ...pointers };
  for (const name of names) {
    const parameters = signatures[name].map((type) => type === "ptr" ? "buffer" : "i32");
    symbols[name] = { parameters, result: resultOf.int };
  }
  return symbols;
}

/** The libc at a path. */
function openAt<S extends Signatures>(path: string, signatures: S, arch: "x64" | "arm64", atOnce?: Names<S>) {
  const { dlopen } = deno();
  let location: () => Uint8Array;
  let memcpy: (to: Uint8Array, from: bigint, length: bigint) => Uint8Array;
  const link = (names: Names<S>) => {
    const { symbols } = dlopen(path, definitions(signatures, names));
    location = symbols.__errno_location;
    memcpy = symbols.memcpy;
    const functions: Partial<Record<keyof S, RawFunction>> = {};
    for (const name of names) functions[name] = (...args) => new Int32Array(symbols[name](...args).buffer)[0];
    return functions;
  };
  const number = new Int32Array(1);
  const bytes = new Uint8Array(number.buffer);
  const errno = () => {
    memcpy(bytes, new BigUint64Array(location().buffer)[0], 4n);
    return number[0];
  };
  const address = (buffer: Uint8Array) => new BigUint64Array(memcpy(buffer, 0n, 0n).buffer)[0];
  return wrapLibc(signatures, { arch, link, errno, address }, atOnce);
}

/** Functions of libc by Deno.dlopen, if --allow-ffi covers it. Nothing prompts. */
export function openDenoFunctions<S extends Signatures>(signatures: S, atOnce?: Names<S>): LibcOf<S> | LibcMissing {
  const { build } = deno();
  const arch = build.arch === "x86_64" ? "x64" : build.arch === "aarch64" ? "arm64" : undefined;
  if (arch === undefined) return { missing: `no layout of libc's structures is known for ${build.arch}` };
  let cause = "Deno calls libc with --allow-ffi";
  for (const path of paths) {
    if (!isGranted({ name: "ffi", path })) continue;
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
