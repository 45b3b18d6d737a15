import type { ListenFd } from "../types.ts";

/** Who may send messages: NotifyAccess= of systemd.service(5). */
export type NotifyAccess = "none" | "main" | "exec" | "all";

/** Descriptors for the service manager to keep until the next start. */
export interface FdStoreEntry {
  /** Their name in the next start's {@linkcode Api.listenFds}. */
  readonly name: string;
  /** One descriptor, or up to 253 that share the name. They stay open here. */
  readonly fds: number | readonly number[];
  /** `false` keeps a descriptor also when poll(2) reports an error or a hang-up for it. */
  readonly poll?: boolean;
}

/** What a message may say besides where the service is in its life. Several may be in one message. See sd_notify(3). */
export interface NotifyFields {
  /** STATUS=: one line for people. */
  readonly status?: string;
  /** ERRNO=: the errno that the service failed with, a number or a name such as `"ENOENT"`. */
  readonly errno?: number | string;
  /** BUSERROR=: the D-Bus error that it failed with. */
  readonly busError?: string;
  /** VARLINKERROR=: the Varlink error that it failed with. */
  readonly varlinkError?: string;
  /** EXIT_STATUS=: 0 to 255. */
  readonly exitStatus?: number;
  /** MAINPID=: which process is the service now. */
  readonly mainPid?: number;
  /** MAINPIDFD=1 with this pidfd: the same, without a race. */
  readonly mainPidFd?: number;
  /** MAINPIDFDID=: the inode of that pidfd. */
  readonly mainPidFdId?: bigint;
  /** NOTIFYACCESS=: who may send from now on. */
  readonly notifyAccess?: NotifyAccess;
  /** EXTEND_TIMEOUT_USEC=, in milliseconds: how long starting, running or stopping may take from now on. Send it again in time. */
  readonly extendTimeoutMs?: number;
  /** WATCHDOG=1, or WATCHDOG=trigger: fails at once, as if the time were over. See {@linkcode NotifyApi.watchdog}. */
  readonly watchdog?: "ping" | "trigger";
  /** WATCHDOG_USEC=, in milliseconds: the watchdog's interval from now on; 0 turns it off. The environment keeps the old one. */
  readonly watchdogMs?: number;
  /** RESTART_RESET=1: the next restart waits for RestartSec= again, which RestartSteps= had made longer. Since systemd 258. */
  readonly restartReset?: true;
  /** FDSTORE=1: see {@linkcode NotifyApi.storeFd}. */
  readonly fdStore?: FdStoreEntry;
  /** FDSTOREREMOVE=1 with this name: see {@linkcode NotifyApi.removeFd}. */
  readonly fdStoreRemove?: string;
  /** MONOTONIC_USEC=: CLOCK_MONOTONIC in microseconds. `reloading` sends it by itself. */
  readonly monotonicUsec?: bigint;
  /** Fields of your own, in capitals, digits and underscores. */
  readonly [extension: `X_${string}`]: string | undefined;
}

/** READY=1, RELOADING=1, or neither. */
export interface NotifyRunning extends NotifyFields {
  /** READY=1: start-up, or a reload, is finished. */
  readonly ready?: true;
  /** RELOADING=1 with MONOTONIC_USEC=. `ready` in a later message ends it, in the same message it is already over. */
  readonly reloading?: true;
  /** Not with these. */
  readonly stopping?: undefined;
}

/** STOPPING=1, which nothing ends. */
export interface NotifyStopping extends NotifyFields {
  /** STOPPING=1: it shuts down. */
  readonly stopping: true;
  /** Not with it. */
  readonly ready?: undefined;
  /** Not with it. */
  readonly reloading?: undefined;
}

/** All that can be said to the service manager. */
export type NotifyState = NotifyRunning | NotifyStopping;

/** Options of all that talks to the service manager. */
export interface NotifyEnvOptions {
  /** Leaves NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID in the environment, where children see them. */
  readonly keepEnv?: boolean;
}

/** Options of {@linkcode NotifyApi.notify}. */
export interface NotifyOptions extends NotifyEnvOptions {
  /** Sends in the name of this process, as sd_pid_notify(3), where the kernel allows it. It needs FFI. */
  readonly pid?: number;
}

/** Options of {@linkcode NotifyApi.storeFd}. */
export interface StoreFdOptions extends NotifyEnvOptions {
  /** `false` keeps the descriptor also when poll(2) reports an error or a hang-up for it. @default {true} */
  readonly poll?: boolean;
}

/** Options of {@linkcode NotifyApi.watchdog}. */
export interface WatchdogOptions extends NotifyEnvOptions {
  /** Whether the service is well, asked before each ping. It is not if this gives false, throws, rejects, or does not settle in time. */
  readonly check?: () => unknown;
  /** How long `check` may take, in milliseconds. @default {half the interval} */
  readonly checkTimeout?: number;
  /** What an unhealthy service does: no ping, so that the time runs out, or WATCHDOG=trigger, which fails at once. @default {"withhold"} */
  readonly whenUnhealthy?: "withhold" | "trigger";
  /**
   * Told of each failed check (`ERR_FD3_UNHEALTHY`, with what it threw as `cause`), and of each ping that could not be sent.
   * Without it, they are logged to stderr.
   */
  readonly onProblem?: (error: unknown) => void;
}

/** A running watchdog. */
export interface Watchdog extends Disposable {
  /** The interval that the service manager waits for, in milliseconds; the pings come twice as often. */
  readonly intervalMs: number;
  /** Sends no more pings. Unless the service is stopping, the service manager will take it for dead. */
  stop(): void;
}

/** How messages are sent: sendmsg(2) by FFI, `Deno.listenDatagram()`, the program systemd-notify(1), or not at all. */
export type NotifyTransport = "ffi" | "deno-datagram" | "systemd-notify" | "none";

/** What may be impossible without FFI: see {@linkcode NotifyCapabilities.cannot}. */
export type NotifyLimit = "notify" | "notifyAccessMain" | "pid" | "barrier" | "storeFd" | "monotonicUsec";

/** What can be said to the service manager from here. */
export interface NotifyCapabilities {
  /** Whether there is a service manager that listens: NOTIFY_SOCKET is set. */
  readonly supervised: boolean;
  /** How messages are sent. */
  readonly transport: NotifyTransport;
  /** What is impossible, each with the reason; empty with FFI. */
  readonly cannot: Readonly<Partial<Record<NotifyLimit, string>>>;
}

/**
 * What every entry point of fd3 offers of the service manager's protocol, on every runtime.
 *
 * NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID leave the environment when they are first read, so that children do not speak in the
 * service's name; fd3 remembers them, and `keepEnv` leaves them. (`Bun.spawn()` without `env` passes on the environment of the start all
 * the same: oven-sh/bun#34972.) The code behind these functions is loaded on the first call of any of them.
 *
 * Deno permissions: `--allow-env=NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID`, and one way to send: `--allow-ffi`, which can do
 * everything; `--unstable-net` with `--allow-net` and `--allow-write=/run/systemd/notify`; or `--allow-run=systemd-notify`, which for a
 * service that is not root needs `NotifyAccess=all`.
 */
export interface NotifyApi {
  /**
   * Tells the service manager how the service is: sd_notify(3). With FFI the message has left when this returns, before the promise is
   * awaited, if any function of this interface was awaited before and the service manager has room for it. Otherwise messages leave one
   * after the other.
   *
   * A manager that does not read never stops the event loop: what must arrive waits, in order, and its promise with it. `status`,
   * `watchdog: "ping"` and `extendTimeoutMs` alone may be lost: while something waits, the latest of each is kept, for a `true` at once.
   *
   * | NOTIFY_SOCKET | result |
   * | --- | --- |
   * | unset | `false`, and nothing is sent |
   * | a socket that takes it | `true`: it is queued, or kept; whether it counts is up to NotifyAccess= |
   * | empty, relative, `/` or `@` alone | throws `EINVAL` |
   * | longer than 107 bytes | throws `ENAMETOOLONG` |
   * | nothing there, nobody listens, no datagram socket | throws `ENOENT`, `ECONNREFUSED`, `EPROTOTYPE` |
   * | a vsock | throws `ERR_FD3_PLATFORM` |
   *
   * @throws {Fd3Error} As in the table; `EBADF` if a descriptor to send is not open, `ERR_FD3_FFI` if it cannot be sent from here.
   * @throws {TypeError} If a field is unknown or not of its kind, or has a newline or NUL in it, which would add fields.
   * @throws {RangeError} If the message is longer than 4096 bytes: the service manager drops such without a word. Or if a number is.
   * @param state What to say.
   * @param options `pid`, `keepEnv`.
   * @returns Whether there was somebody to send it to.
   *
   * @example Ready, with a line for `systemctl status`
   * ```ts
   * import { notify } from "@fd3/fd3";
   *
   * await notify({ ready: true, status: "Serving" });
   * ```
   */
  notify(state: NotifyState, options?: NotifyOptions): Promise<boolean>;
  /**
   * Waits until the service manager has read all that was sent before: sd_notify_barrier(3). Only a process that ends at once, or that
   * is not the service's, needs it. It needs FFI.
   *
   * @throws {Fd3Error} `ETIMEDOUT` if it takes longer, `ERR_FD3_FFI` without FFI, and what {@linkcode NotifyApi.notify} throws.
   * @throws {RangeError} If the time is no number from 0 up.
   * @param timeoutMs How long to wait, in milliseconds; Infinity is for ever. 5000 if nothing is said.
   * @param options `keepEnv`.
   * @returns Whether there was somebody to wait for.
   */
  barrier(timeoutMs?: number, options?: NotifyEnvOptions): Promise<boolean>;
  /**
   * Gives the service manager a duplicate of a descriptor, to keep until the next start: FILE_DESCRIPTOR_STORE of systemd. The next
   * start finds it by its name: {@linkcode Api.listenFds}, `listen()`, {@linkcode ServiceApi.takeFd}. The unit needs FileDescriptorStoreMax=.
   * The store outlives `systemctl restart` and a crash, not `systemctl stop`. It needs FFI.
   *
   * @throws {Fd3Error} `EBADF` if it is not open, `EINVAL` if there are more than 253, `ERR_FD3_FFI` without FFI, and what
   * {@linkcode NotifyApi.notify} throws.
   * @throws {TypeError} If the name is longer than 255 characters, or has others than printable ASCII, or a colon or backslash.
   * @param name The name; not unique, see {@linkcode NotifyApi.removeFd}.
   * @param fd A descriptor, or several under one name.
   * @param options `poll`, `keepEnv`.
   * @returns Whether there was somebody to send it to. A unit without a store drops it without a word.
   */
  storeFd(name: string, fd: number | readonly number[], options?: StoreFdOptions): Promise<boolean>;
  /**
   * Takes all descriptors of a name out of the store, and closes them there. What is open here stays open.
   *
   * @throws {Fd3Error} What {@linkcode NotifyApi.notify} throws.
   * @throws {TypeError} If it can be no name of a stored descriptor.
   * @param name The name.
   * @param options `keepEnv`.
   * @returns Whether there was somebody to tell.
   */
  removeFd(name: string, options?: NotifyEnvOptions): Promise<boolean>;
  /**
   * Closes a descriptor that was passed and that nobody took, and takes its name out of the store: for what an earlier version of the
   * service stored. The store knows names alone: what you still use under the same name must be stored again.
   *
   * @throws {Fd3Error} `ERR_FD3_TAKEN` if it was taken, `EBADF` if it was not passed, `ERR_FD3_FFI` on Deno without FFI, and what
   * {@linkcode NotifyApi.notify} throws.
   * @param passed One of {@linkcode ServiceApi.unclaimedFds}.
   * @param options `keepEnv`.
   * @returns Whether there was somebody to tell.
   */
  dropFd(passed: ListenFd, options?: NotifyEnvOptions): Promise<boolean>;
  /**
   * Proves to the service manager that the service is alive: a ping at once and then at half of WatchdogSec=, from the event loop, so
   * that a blocked loop is found. It does not keep the process alive. As sd_watchdog_enabled(3):
   *
   * | environment | result |
   * | --- | --- |
   * | WATCHDOG_USEC unset | `undefined` |
   * | WATCHDOG_PID of another process | `undefined` |
   * | WATCHDOG_USEC=20000000, WATCHDOG_PID unset or ours | pings every 10 s |
   * | WATCHDOG_USEC is no number, 0 or 2^64-1; WATCHDOG_PID is no number | throws `EINVAL` |
   * | one out of range | throws `ERANGE` |
   *
   * @throws {Fd3Error} As in the table.
   * @throws {TypeError} If an option is not of its kind.
   * @param options A health check, and what happens when it fails.
   * @returns `undefined` where nobody waits for pings.
   */
  watchdog(options?: WatchdogOptions): Promise<Watchdog | undefined>;
  /**
   * How messages are sent from here, and what is impossible that way. Nothing is sent.
   *
   * @param options `keepEnv`.
   */
  capabilities(options?: NotifyEnvOptions): Promise<NotifyCapabilities>;
}
