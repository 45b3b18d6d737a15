import type { Host } from "../host.ts";
import type { Outbox } from "./outbox.ts";
import type { NotifyEnvOptions } from "./types.ts";
import { AF_UNIX, EINTR, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM } from "../linux/constants.ts";
import type { Libc } from "../linux/libc.ts";
import { encodeUnix } from "../linux/sockaddr.ts";

/** The variables of sd_notify(3) and sd_watchdog_enabled(3). */
export type NotifyVariable = "NOTIFY_SOCKET" | "WATCHDOG_USEC" | "WATCHDOG_PID";

/** What this process knows of its service manager. */
interface Memory {
  /** The variables as they were when they left the environment. */
  readonly variables: Partial<Record<NotifyVariable, string>>;
  /** What has not left yet, made by the first message. */
  outbox?: Outbox;
}

// On globalThis, not in this module: two copies of the package may meet, and `bun --hot` evaluates a module twice.
const key: unique symbol = Symbol.for("fd3.notify");

/** The memory of this process, made on the first call. */
export function memory(): Memory {
  const holder = globalThis as { [key]?: Memory };
  return holder[key] ??= { variables: {} };
}

/**
 * One of the variables. It leaves the environment, as with libsystemd's `unset_environment`, and is remembered; one that was set anew
 * since counts.
 *
 * @param host The runtime.
 * @param name Its name.
 * @param options `keepEnv` leaves it where it is.
 */
export function variable(host: Host, name: NotifyVariable, options: NotifyEnvOptions = {}): string | undefined {
  const { variables } = memory();
  const value = host.env(name);
  if (value === undefined) return variables[name];
  if (options.keepEnv !== true) host.unsetEnv(name);
  return variables[name] = value;
}

/** An empty buffer has no address on some runtimes. */
const nothing = new Uint8Array(1);

/**
 * Sends a datagram without descriptors, in our own name, and without waiting: an event loop has more to do than to wait for a service
 * manager. The kernel adds our process ID and our real user (maybe_add_creds() in net/unix/af_unix.c).
 *
 * @param libc libc.
 * @param address `/path` or `@abstract`.
 * @param payload The message.
 * @returns 0 or more, or the negative errno: EAGAIN where the queue of the receiver is full.
 */
export function sendPlain(libc: Libc, address: string, payload: Uint8Array): number {
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return socket;
  const name = encodeUnix(address);
  const bytes = payload.length === 0 ? nothing : payload;
  const send = () => libc.sendto(socket, bytes, payload.length, MSG_NOSIGNAL | MSG_DONTWAIT, name, name.length);
  let result: number;
  while ((result = send()) === -EINTR);
  libc.close(socket);
  return result;
}
