import type { ServiceHost } from "../daemon/service_host.ts";
import type { Host, LibcMissing } from "../host.ts";
import type { LibcOf } from "../linux/libc.ts";

/** The functions of libc that messages need, besides those of `Host.libc()`. */
export const messageSignatures = {
  clock_gettime: ["i32", "ptr"],
  getegid: [],
  geteuid: [],
  getgid: [],
  getuid: [],
  pipe2: ["ptr", "i32"],
  sendmsg: ["i32", "ptr", "i32"],
  setsockopt: ["i32", "i32", "i32", "ptr", "i32"],
} as const satisfies Record<string, readonly ("i32" | "ptr")[]>;

/** The functions of libc that messages need. */
export type MessageLibc = LibcOf<typeof messageSignatures>;

/** Sends AF_UNIX datagrams without libc. */
export interface DatagramWay {
  /**
   * Sends one, or rejects with what the runtime says.
   *
   * @param address `/path` or `@abstract`.
   */
  send(address: string, payload: Uint8Array): Promise<void>;
}

/** Runs programs. */
export interface ProgramWay {
  /**
   * Runs systemd-notify(1) to its end, or rejects with what the runtime says.
   *
   * @param args Its arguments.
   * @param env What is added to its environment.
   */
  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<{ status: number; stderr: string }>;
}

/** What the service manager's protocol asks of a runtime, besides the rest. */
export interface NotifyHost extends Host, ServiceHost {
  /** The functions of libc that messages need, or why there are none. Opened on the first call. */
  messageLibc(): MessageLibc | LibcMissing;
  /** CLOCK_MONOTONIC in nanoseconds, where the runtime has it without libc. */
  monotonic?(): bigint;
  /** How long the machine is up, in seconds, or why that cannot be told: for CLOCK_MONOTONIC where nothing else is. */
  uptime(): number | LibcMissing;
  /** AF_UNIX datagrams by the runtime itself, or why there are none for this address. */
  datagram(address: string): DatagramWay | LibcMissing;
  /** systemd-notify(1), or why it cannot be run. */
  systemdNotify(): ProgramWay | LibcMissing;
  /** Closes a descriptor that was passed, where libc is missing; `undefined` where the runtime cannot. */
  closeFd?(fd: number): void;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** Calls back once, after at most 2^31-1 ms, and does not keep the process alive for it. Gives what cancels it. */
  after(ms: number, callback: () => void): () => void;
}
