/**
 * The functions of libc that fd3 calls, with their arguments: `i32` is a number, `ptr` a buffer. All give an `int`; those that
 * give a `long` or `ssize_t` in C have small results here, whose lower half is all there is. fcntl, open and syscall are variadic in C:
 * on Linux, x86-64 and arm64 pass such integers like fixed ones.
 */
export const signatures = {
  bind: ["i32", "ptr", "i32"],
  chmod: ["ptr", "i32"],
  chown: ["ptr", "i32", "i32"],
  close: ["i32"],
  connect: ["i32", "ptr", "i32"],
  dup3: ["i32", "i32", "i32"],
  epoll_ctl: ["i32", "i32", "i32", "ptr"],
  fcntl: ["i32", "i32", "i32"],
  flock: ["i32", "i32"],
  fstatfs: ["i32", "ptr"],
  getsockname: ["i32", "ptr", "ptr"],
  getsockopt: ["i32", "i32", "i32", "ptr", "ptr"],
  listen: ["i32", "i32"],
  open: ["ptr", "i32", "i32"],
  poll: ["ptr", "i32", "i32"],
  read: ["i32", "ptr", "i32"],
  readlink: ["ptr", "ptr", "i32"],
  sendto: ["i32", "ptr", "i32", "i32", "ptr", "i32"],
  setsockopt: ["i32", "i32", "i32", "ptr", "i32"],
  shutdown: ["i32", "i32"],
  socket: ["i32", "i32", "i32"],
  syscall: ["i32", "i32", "i32"],
  umask: ["i32"],
  write: ["i32", "ptr", "i32"],
} as const satisfies Record<string, readonly ("i32" | "ptr")[]>;

/** The name of a function in {@linkcode signatures}. */
export type LibcName = keyof typeof signatures;

/** A table like {@linkcode signatures}: parts of fd3 that need more of libc have a table of their own, opened when they need it. */
export type Signatures = Readonly<Record<string, readonly ("i32" | "ptr")[]>>;

type Arguments<S extends readonly ("i32" | "ptr")[]> = {
  [K in keyof S]: S[K] extends "ptr" ? Uint8Array : number;
};

/** The functions of a table as the core sees them: each gives its result, or the negative errno where C gives -1. */
export type LibcOf<S extends Signatures> =
  & { readonly [N in keyof S]: (...args: Arguments<S[N]>) => number }
  & {
    /** `struct epoll_event` is packed on x86-64 alone, so a caller must know. */
    readonly arch: "x64" | "arm64";
    /**
     * Where a buffer lies in memory, for a structure that points to it. Neither may be collected before the call is over: a structure
     * that points into its own buffer is safe.
     */
    address(buffer: Uint8Array): bigint;
  };

/** libc as the core sees it. */
export type Libc = LibcOf<typeof signatures>;

/** A function of libc as an FFI gives it: the plain result, -1 on errors. */
export type RawFunction = (...args: (number | Uint8Array)[]) => number;

/** The file names under which libc may be opened, glibc's and musl's. */
export const libcNames: readonly string[] = [
  "libc.so.6",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
];

/** Names of functions in a table of signatures. */
export type Names<S extends Signatures> = readonly (keyof S & string)[];

/**
 * What a start with an inherited socket calls. The rest is linked when it is first called: each function takes an FFI time.
 */
export const atStart: Names<typeof signatures> = [
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

/** What an FFI gives for a table of signatures. */
export interface RawLibc<S extends Signatures> {
  /** The processor's name, as Node calls it. */
  readonly arch: "x64" | "arm64";
  /** Gives these functions, and maybe more. */
  link(names: Names<S>): Partial<Record<keyof S, RawFunction>>;
  /** The errno of the last call of this thread. */
  errno(): number;
  address(buffer: Uint8Array): bigint;
}

/**
 * Makes what the core sees of an FFI's functions.
 *
 * @param signatures The functions.
 * @param raw The FFI.
 * @param atOnce Which to link at once; the others are on first use.
 */
export function wrapLibc<S extends Signatures>(
  signatures: S,
  { arch, link, errno, address }: RawLibc<S>,
  atOnce: Names<S> = Object.keys(signatures),
): LibcOf<S> {
  const linked: Partial<Record<string, RawFunction>> = { ...link(atOnce) };
  const libc: Record<string, unknown> = { arch, address };
  for (const name of Object.keys(signatures)) {
    libc[name] = (...args: (number | Uint8Array)[]) => {
      const result = (linked[name] ??= link([name])[name]!)(...args);
      return result === -1 ? -errno() : result;
    };
  }
  return libc as unknown as LibcOf<S>;
}

const encoder = new TextEncoder();

/** A string as C wants it. */
export function cString(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}
