import type { ServiceHost } from "../service/host.ts";
import { hasLibc, type Host, type LibcMissing } from "../host.ts";
import { lazy } from "../lazy.ts";
import type { LibcOf, Signatures } from "../linux/libc.ts";

/** The functions of libc that each message needs, besides those of `Host.libc()`. Each costs Deno 0.1 ms to open. */
const messageSignatures = {
  getresgid: ["ptr", "ptr", "ptr"],
  getresuid: ["ptr", "ptr", "ptr"],
  sendmsg: ["i32", "ptr", "i32"],
  setsockopt: ["i32", "i32", "i32", "ptr", "i32"],
} as const satisfies Signatures;

/** Those that few messages need. */
const rareSignatures = {
  clock_gettime: ["i32", "ptr"],
  pipe2: ["ptr", "i32"],
} as const satisfies Signatures;

/** The functions of libc that each message needs. */
export type MessageLibc = LibcOf<typeof messageSignatures>;

/** The functions of libc that few messages need. */
type RareLibc = LibcOf<typeof rareSignatures>;

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
  /** Whether the service manager takes its messages for ours: from root, or with NotifyAccess=all. `undefined` where nobody says. */
  isHeard(): Promise<boolean | undefined>;
}

/** What the service manager's protocol asks of a runtime, besides the rest. */
export interface NotifyHost extends Host, ServiceHost {
  /** The functions of libc that each message needs, or why there are none. Opened on the first call. */
  messageLibc(): MessageLibc | LibcMissing;
  /** Those that few messages need. */
  rareLibc(): RareLibc | LibcMissing;
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

/**
 * What a {@linkcode NotifyHost} is made of. It is handed over, not imported: so the code of the protocol, which is loaded by itself, shares
 * no more files with the rest than it must.
 */
export interface NotifyParts {
  readonly host: Host;
  readonly service: ServiceHost;
  /** Opens more functions of libc. */
  open<S extends Signatures>(signatures: S): LibcOf<S> | LibcMissing;
}

/** The functions of libc that messages need, opened when they are asked for. */
export function messageLibcs({ host, open }: NotifyParts): Pick<NotifyHost, "messageLibc" | "rareLibc"> {
  const opening = <S extends Signatures>(signatures: S) =>
    lazy(() => {
      const base = host.libc();
      return hasLibc(base) ? open(signatures) : base;
    });
  return { messageLibc: opening(messageSignatures), rareLibc: opening(rareSignatures) };
}
