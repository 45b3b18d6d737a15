import { Fd3Error } from "../errors.ts";
import { hasLibc, type LibcMissing } from "../host.ts";
import type { Libc } from "../linux/libc.ts";
import { EAGAIN, F_DUPFD_CLOEXEC } from "../linux/constants.ts";
import { errnoError, systemError } from "../system_error.ts";
import { memory, sendPlain, variable } from "./manager.ts";
import type { DatagramWay, MessageLibc, NotifyHost, ProgramWay } from "./host.ts";
import { credentialsFor, sendDatagram } from "./message.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { encodeMessage } from "./state.ts";
import type { NotifyEnvOptions } from "./types.ts";
import { warnOnce } from "../service/log.ts";
import { quoted } from "../quoted.ts";

/** The most descriptors in one message (SCM_MAX_FD of the kernel). */
const maxFds = 253;

/** What a message needs to be sent. */
export interface Message {
  /** What this is, for errors: "notify the service manager". */
  readonly action: string;
  /** `/path` or `@abstract`. */
  readonly address: string;
  readonly lines: readonly string[];
  readonly fds: readonly number[];
  /** The process to speak for; `undefined` is this one. */
  readonly pid: number | undefined;
  /** Why it is too late to send it, once it is. */
  readonly tooLate?: () => Error | undefined;
}

/** How messages are sent from here. What is no FFI says why there is none. */
export type Way =
  | { readonly name: "ffi"; readonly base: Libc; readonly libc: MessageLibc }
  | { readonly name: "deno-datagram"; readonly missing: string; readonly datagram: DatagramWay }
  | { readonly name: "systemd-notify"; readonly missing: string; readonly program: ProgramWay }
  | { readonly name: "none"; readonly missing: string };

const isMissing = <T extends object>(found: T | LibcMissing): found is LibcMissing => "missing" in found;

/**
 * The best way to send to an address. Nothing prompts, and nothing is started.
 *
 * @param host The runtime.
 * @param address `/path` or `@abstract`.
 */
export function wayTo(host: NotifyHost, address: string): Way {
  const base = host.libc();
  const libc = hasLibc(base) ? host.messageLibc() : base;
  if (hasLibc(base) && !isMissing(libc)) return { name: "ffi", base, libc };
  const { missing } = (hasLibc(base) ? libc : base) as LibcMissing;
  const datagram = host.datagram(address);
  if (!isMissing(datagram)) return { name: "deno-datagram", missing, datagram };
  const program = host.systemdNotify();
  if (!isMissing(program)) return { name: "systemd-notify", missing, program };
  return { name: "none", missing: [missing, datagram.missing, program.missing].join("; ") };
}

/** What can be lost: the next one says it anew. `WATCHDOG=trigger` is no ping. */
const passing = /^(?:STATUS=|WATCHDOG=1$|EXTEND_TIMEOUT_USEC=)/;

function isPlain(host: NotifyHost, { fds, pid }: Message): boolean {
  return fds.length === 0 && (pid === undefined || pid === host.pid());
}

/** How a message leaves by one way. */
type Sender = Pick<Outgoing, "send" | "keep">;

function byFfi(host: NotifyHost, { base, libc }: Way & { name: "ffi" }, message: Message): Sender {
  const { action, address } = message;
  let { fds } = message;
  const pid = message.pid ?? host.pid();
  const sendNow = (payload: Uint8Array) => {
    if (isPlain(host, message)) return sendPlain(base, address, payload);
    return sendDatagram(base, libc, { address, payload, fds, credentials: credentialsFor(libc, pid, host.pid()) });
  };
  return {
    send(lines) {
      const result = sendNow(encodeMessage(lines));
      if (result < 0 && result !== -EAGAIN) throw systemError(action, errnoError(result));
      return result >= 0;
    },
    // Duplicates: whoever does not await this may close his own meanwhile, and the number would be another's.
    keep() {
      const copies: number[] = [];
      const release = () => {
        for (const fd of copies) base.close(fd);
      };
      for (const fd of fds) {
        const copy = base.fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy >= 0) {
          copies.push(copy);
          continue;
        }
        release();
        throw systemError(action, errnoError(copy));
      }
      fds = copies;
      return release;
    },
  };
}

/** The codes of what systemd-notify says, which is what strerror(3) says: its last words. */
const words: Readonly<Record<string, string>> = {
  "Connection refused": "ECONNREFUSED",
  "Connection timed out": "ETIMEDOUT",
  "No such file or directory": "ENOENT",
  "Operation not permitted": "EPERM",
  "Permission denied": "EACCES",
  "Protocol wrong type for socket": "EPROTOTYPE",
};

async function sendByProgram(
  way: Way & { name: "systemd-notify" },
  { action, address }: Message,
  lines: readonly string[],
): Promise<void> {
  // Without a field it would show its help. An empty message says nothing.
  if (lines.length === 0) return;
  // It ends when the manager has read the message (a barrier), which looks for the unit of a process that is still there.
  const run = way.program.run(lines, { NOTIFY_SOCKET: address, LC_ALL: "C" });
  const { status, stderr } = await run.catch((cause) => {
    throw new Fd3Error("ERR_FD3_FFI", `Cannot ${action}: ${way.missing}; systemd-notify cannot be started`, { cause });
  });
  if (status === 0) return;
  const text = stderr.trim().split("\n").at(-1) ?? "";
  const code = words[text.slice(text.lastIndexOf(": ") + 2)];
  throw systemError(action, Object.assign(new Error(text === "" ? `exit status ${status}` : text), { code }));
}

/** For whom it was asked whether the service manager hears them. */
const asked = new WeakSet<NotifyHost>();

/** Warns once where the unit may not let the program speak for us, and says how to do without it. */
async function warnOfAccess(host: NotifyHost, program: ProgramWay): Promise<void> {
  if (asked.has(host)) return;
  asked.add(host);
  if (await program.isHeard() === true) return;
  const ffi = host.runtime === "Deno" ? "--allow-ffi" : "koffi (npm install koffi)";
  const cure = `a unit whose user is not root needs NotifyAccess=all, or ${ffi}`;
  warnOnce(host, `its messages come from the program systemd-notify: ${cure}`);
}

/** How a message leaves by the best way that there is. */
function senderOf(host: NotifyHost, message: Message): Sender {
  const { action, address, fds } = message;
  if (fds.length > maxFds) {
    throw new Fd3Error(
      "EINVAL",
      `Cannot ${action}: ${fds.length} descriptors are more than the ${maxFds} of one message`,
    );
  }
  const way = wayTo(host, address);
  if (way.name === "ffi") return byFfi(host, way, message);
  if (way.name === "none" || !isPlain(host, message)) {
    throw new Fd3Error("ERR_FD3_FFI", `Cannot ${action}: ${way.missing}`);
  }
  if (way.name === "systemd-notify") {
    void warnOfAccess(host, way.program);
    return { send: (lines) => sendByProgram(way, message, lines) };
  }
  return {
    send: (lines) =>
      way.datagram.send(address, encodeMessage(lines)).catch((error) => {
        throw systemError(action, error);
      }),
  };
}

/**
 * Sends a message, by FFI before this returns if the service manager has room for it.
 *
 * @throws {Fd3Error} What is wrong with NOTIFY_SOCKET, what the kernel says, or `ERR_FD3_FFI` if it cannot be sent from here.
 * @returns Whether there was somebody to send it to; a promise of that where it has not left yet.
 */
export function deliver(
  host: NotifyHost,
  message: Omit<Message, "address">,
  options: NotifyEnvOptions,
): boolean | Promise<boolean> {
  const socket = variable(host, "NOTIFY_SOCKET", options);
  if (socket === undefined) return false;
  const { lines, tooLate } = message;
  const whole: Message = { ...message, address: notifyAddress(socket) };
  const isPassing = lines.length > 0 && isPlain(host, whole) && lines.every((line) => passing.test(line));
  const outbox = memory().outbox ??= new Outbox(host.after);
  return outbox.push({ lines, isPassing, tooLate, ...senderOf(host, whole) });
}

/** `sizeof(sun_path)` without a NUL at the end. */
const longest = 107;

const encoder = new TextEncoder();

/**
 * Where NOTIFY_SOCKET is, checked as libsystemd does (sockaddr_un_set_path()).
 *
 * @throws {Fd3Error} `EINVAL`, `ENAMETOOLONG`, or `ERR_FD3_PLATFORM` for a vsock.
 * @param value The variable.
 * @returns `/path` or `@abstract`.
 */
export function notifyAddress(value: string): string {
  const fail = (code: "EINVAL" | "ENAMETOOLONG" | "ERR_FD3_PLATFORM", why: string): never => {
    throw new Fd3Error(code, `Cannot notify the service manager: NOTIFY_SOCKET is ${quoted(value)}, ${why}`);
  };
  // A virtual machine's way to its host, since systemd 254.
  if (/^vsock(-(stream|dgram|seqpacket))?:/.test(value)) fail("ERR_FD3_PLATFORM", "and fd3 sends to no vsock");
  if (!/^[/@]./s.test(value)) fail("EINVAL", "neither an absolute path nor an abstract name");
  const { length } = encoder.encode(value);
  // An abstract name could have one byte more, but not for libsystemd, which has another error for it, too.
  if (length > longest) fail(value.startsWith("@") ? "EINVAL" : "ENAMETOOLONG", `which has ${length} bytes`);
  return value;
}
