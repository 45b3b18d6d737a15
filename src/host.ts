import type { Libc } from "./linux/libc.ts";
import type { DescriptorKind } from "./linux/socket.ts";

/** The one port: all that the core asks of a runtime. */
export interface Host {
  /** Which runtime this is: some ways differ between them where behaviour cannot be asked for. */
  readonly runtime: "Deno" | "Bun" | "Node";
  /** Our own process ID. */
  pid(): number;
  /** Our parent's process ID. */
  parentPid(): number;
  /** Whether this is a worker's thread, and not the main one. */
  isWorker(): boolean;
  /** An environment variable, or `undefined` where it is not set. */
  env(name: string): string | undefined;
  /** Takes a variable out of the environment that children inherit. */
  unsetEnv(name: string): void;
  /** Warns the people who run the service: a line on stderr, once for each text. */
  warn(text: string): void;
  /** libc, or why there is none. A missing FFI is a value, so that the portable ways go on without it. */
  libc(): Libc | LibcMissing;
  /**
   * Whether a descriptor is open, by a way of the runtime's own: for Node, where libc is slow to load and FD_CLOEXEC is set at start.
   * `undefined` where the runtime cannot tell.
   */
  isOpen?(fd: number): boolean | undefined;
  /** Whether so many more descriptors can be opened, by a way of the runtime's own; `undefined` where it cannot tell. */
  canOpen?(count: number): boolean | undefined;
  /** The kind of a descriptor by a way of the runtime's own, where libc is missing; `undefined` where the runtime cannot tell. */
  describe?(fd: number): DescriptorKind | undefined;
  /** The contents of a file below /proc without libc, or `undefined` where that is not allowed. Only errors ask for it. */
  readProc?(path: string): string | undefined;
}

/** Why libc cannot be called. */
export interface LibcMissing {
  readonly missing: string;
}

/** Whether `libc()` gave the real thing. */
export function hasLibc(libc: Libc | LibcMissing): libc is Libc {
  return !("missing" in libc);
}
