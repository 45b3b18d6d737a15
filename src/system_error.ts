import { Fd3Error, type Fd3ErrorCode } from "./errors.ts";
import { errnoName } from "./linux/constants.ts";

/** The words of strerror(3), so that the text is the same on every runtime. */
export const texts: Partial<Record<Fd3ErrorCode, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EAFNOSUPPORT: "address family not supported; RestrictAddressFamilies= of the unit must name it",
  EBADF: "bad file descriptor",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EINVAL: "invalid argument",
  EMFILE: "too many open files; raise LimitNOFILE= (RLIMIT_NOFILE)",
  ENAMETOOLONG: "file name too long",
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EPIPE: "broken pipe",
  EPROTOTYPE: "protocol wrong type for socket",
  EROFS:
    "read-only file system; RuntimeDirectory= or ReadWritePaths= of the unit makes a folder that can be written to",
  ETIMEDOUT: "connection timed out",
};

/** Those of what has no code of ours. */
const otherTexts: Readonly<Record<string, string>> = {
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  ENFILE: "too many open files in the system",
  ENOMEM: "out of memory",
  ENOSPC: "no space left on device",
};

/** Deno's classes of errors, whose `code` is not always set. */
const classes: Record<string, Fd3ErrorCode> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  BrokenPipe: "EPIPE",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  NotADirectory: "ENOTDIR",
  NotCapable: "EACCES",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
};

function codeOf(error: unknown): Fd3ErrorCode | undefined {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  if (code === "EPERM") return "EACCES";
  // What Node calls a write that was waiting when the peer went away.
  if (code === "ECANCELED" || code === "ERR_STREAM_DESTROYED") return "EPIPE";
  if (typeof code === "string" && code in texts) return code as Fd3ErrorCode;
  return typeof name === "string" ? classes[name] : undefined;
}

/** Whether a host name could not be looked up: Node has a code for each reason, Deno a text alone. */
function isUnknownHost(code: unknown, message: string): boolean {
  if (code === "ENOTFOUND" || (typeof code === "string" && code.startsWith("EAI_"))) return true;
  return message.startsWith("failed to lookup address information");
}

/** What an error says that has no code of ours. */
function otherText(error: unknown): string {
  const { code, message = String(error) } = Object(error) as { code?: unknown; message?: string };
  if (isUnknownHost(code, message)) return "the host is unknown";
  // The runtimes word the rest differently: the errno's name is what they have in common.
  if (typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code)) return message;
  return code in otherTexts ? `${otherTexts[code]} (${code})` : code;
}

/** The permission that Deno lacks, as it is written: `Requires net access to "127.0.0.1:80", run again with the --allow-net flag`. */
function missingPermission(error: unknown): string | undefined {
  const { message } = Object(error) as { message?: unknown };
  if (typeof message !== "string") return undefined;
  const [, what, flag] =
    /^Requires \w+ access to ("[^"]*"|[^,]*), run again with the (--allow-\w+) flag/.exec(message) ?? [];
  if (flag === undefined) return undefined;
  // Deno has no name for some of what --allow-sys is about, such as the umask; --allow-all is about everything; and an abstract name has a
  // NUL, which no flag can have.
  const isNamed = what.startsWith('"') && !["--allow-sys", "--allow-all"].includes(flag) && !what.includes("\0");
  return `Deno needs ${flag}${isNamed ? `=${what.slice(1, -1)}` : ""}`;
}

/**
 * An error of a runtime's own API as an {@linkcode Fd3Error}, the original as its `cause`.
 *
 * @param action What failed, such as "read from the connection".
 * @param error What the runtime threw.
 */
export function systemError(action: string, error: unknown): Fd3Error {
  if (error instanceof Fd3Error) return error;
  const code = codeOf(error);
  const text = missingPermission(error) ?? (code === undefined ? otherText(error) : texts[code]);
  return new Fd3Error(code ?? "EIO", `Cannot ${action}: ${text}`, { cause: error });
}

/**
 * What a function of libc failed with, as the runtimes' own APIs throw it: with the errno's name as its `code`.
 *
 * @param result The negative errno.
 * @param call The function's name, for what shows the message.
 */
export function errnoError(result: number, call?: string): Error & { readonly code: string } {
  const code = errnoName(result);
  return Object.assign(new Error(call === undefined ? code : `${call}: ${code}`), { code });
}
