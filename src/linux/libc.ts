/**
 * The functions of libc that fd3 calls, with their arguments: `i32` is a number, `ptr` a buffer. All give an `int`; those that
 * give a `long` or `ssize_t` in C have small results here, whose lower half is all there is. fcntl, open and syscall are variadic in C:
 * on Linux, x86-64 and arm64 pass such integers like fixed ones.
 */
export const signatures = {
  bind: ["i32", "ptr", "i32"],
  close: ["i32"],
  dup3: ["i32", "i32", "i32"],
  epoll_ctl: ["i32", "i32", "i32", "ptr"],
  fcntl: ["i32", "i32", "i32"],
  fstatfs: ["i32", "ptr"],
  getsockname: ["i32", "ptr", "ptr"],
  getsockopt: ["i32", "i32", "i32", "ptr", "ptr"],
  listen: ["i32", "i32"],
  open: ["ptr", "i32", "i32"],
  poll: ["ptr", "i32", "i32"],
  read: ["i32", "ptr", "i32"],
  readlink: ["ptr", "ptr", "i32"],
  socket: ["i32", "i32", "i32"],
  syscall: ["i32", "i32", "i32"],
  write: ["i32", "ptr", "i32"],
} as const satisfies Record<string, readonly ("i32" | "ptr")[]>;

/** The name of a function in {@linkcode signatures}. */
export type LibcName = keyof typeof signatures;

type Arguments<S extends readonly ("i32" | "ptr")[]> = {
  [K in keyof S]: S[K] extends "ptr" ? Uint8Array : number;
};

/** libc as the core sees it: each function gives its result, or the negative errno where C gives -1. */
export type Libc =
  & { readonly [N in LibcName]: (...args: Arguments<(typeof signatures)[N]>) => number }
  & {
    /** `struct epoll_event` is packed on x86-64 alone, so a caller must know. */
    readonly arch: "x64" | "arm64";
  };

/** A function of libc as an FFI gives it: the plain result, -1 on errors. */
export type RawFunction = (...args: (number | Uint8Array)[]) => number;

/** The file names under which libc may be opened, glibc's and musl's. */
export const libcNames: readonly string[] = [
  "libc.so.6",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
];

/**
 * What a start with an inherited socket calls. The rest is linked when it is first called: each function takes an FFI time, 0.15 ms on
 * Deno.
 */
export const atStart: readonly LibcName[] = [
  "close",
  "dup3",
  "epoll_ctl",
  "fcntl",
  "getsockname",
  "getsockopt",
  "open",
  "read",
  "readlink",
];

/**
 * Makes a {@linkcode Libc} of an FFI's functions.
 *
 * @param arch The processor's name, as the runtime calls it.
 * @param link Gives functions as the FFI has them. Called for {@linkcode atStart}, and for each other function on first use.
 * @param errno The errno of the last call of this thread.
 */
export function wrapLibc(
  arch: "x64" | "arm64",
  link: (names: readonly LibcName[]) => Partial<Record<LibcName, RawFunction>>,
  errno: () => number,
): Libc {
  const linked = { ...link(atStart) };
  const libc: Record<string, unknown> = { arch };
  for (const name of Object.keys(signatures) as LibcName[]) {
    libc[name] = (...args: (number | Uint8Array)[]) => {
      const result = (linked[name] ??= link([name])[name]!)(...args);
      return result === -1 ? -errno() : result;
    };
  }
  return libc as unknown as Libc;
}

const encoder = new TextEncoder();

/** A string as C wants it. */
export function cString(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}
