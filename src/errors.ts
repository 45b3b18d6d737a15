/**
 * Every code that an {@linkcode Fd3Error} can carry. Where libsystemd or the kernel has an errno name for the case, that name
 * is the code; `ERR_FD3_…` is for what has none.
 *
 * | code | meaning |
 * | --- | --- |
 * | `EACCES` | the runtime or the kernel refuses a permission |
 * | `EADDRINUSE` | the fallback address is served by somebody else |
 * | `EADDRNOTAVAIL` | the fallback address is not one of this host |
 * | `EAFNOSUPPORT` | the sandbox forbids sockets of that family |
 * | `EBADF` | a descriptor that was announced is not open |
 * | `ECONNREFUSED`, `EPROTOTYPE` | NOTIFY_SOCKET is no datagram socket that somebody reads |
 * | `ECONNRESET`, `EPIPE` | the peer broke the connection |
 * | `EINVAL`, `ERANGE` | the environment or an address is malformed |
 * | `EIO` | the host is unknown, or a system call failed in a way that has no code of its own; the text names the errno |
 * | `EMFILE` | the process has no descriptor left |
 * | `ENAMETOOLONG` | NOTIFY_SOCKET is too long for an address |
 * | `ENOENT` | the folder of a fallback path, or NOTIFY_SOCKET, does not exist |
 * | `ENOTDIR` | a part of a path is a file |
 * | `ENOTSOCK` | the descriptor is open and not a socket |
 * | `EROFS` | the folder of a fallback path cannot be written to |
 * | `ETIMEDOUT` | the service manager, or the peer, did not answer in time |
 * | `ERR_FD3_CLOSED` | the listener or connection is closed already |
 * | `ERR_FD3_FFI` | it needs libc, and this runtime has no way to call it |
 * | `ERR_FD3_KIND` | the descriptor is a socket of another kind than asked for |
 * | `ERR_FD3_NAME` | descriptors were passed, none with that name |
 * | `ERR_FD3_NO_FDS` | no descriptor was passed, and there is no fallback |
 * | `ERR_FD3_PLATFORM` | this runtime or system cannot do it |
 * | `ERR_FD3_TAKEN` | the descriptor was taken before |
 * | `ERR_FD3_TOO_MANY_FDS` | more than one descriptor fits |
 * | `ERR_FD3_TRANSPLANT` | the runtime's own listener did not take the descriptor |
 * | `ERR_FD3_UNHEALTHY` | the watchdog's health check failed |
 */
export type Fd3ErrorCode =
  | "EACCES"
  | "EADDRINUSE"
  | "EADDRNOTAVAIL"
  | "EAFNOSUPPORT"
  | "EBADF"
  | "ECONNREFUSED"
  | "ECONNRESET"
  | "EINVAL"
  | "EIO"
  | "EMFILE"
  | "ENAMETOOLONG"
  | "ENOENT"
  | "ENOTDIR"
  | "ENOTSOCK"
  | "EPIPE"
  | "EPROTOTYPE"
  | "ERANGE"
  | "EROFS"
  | "ERR_FD3_CLOSED"
  | "ERR_FD3_FFI"
  | "ERR_FD3_KIND"
  | "ERR_FD3_NAME"
  | "ERR_FD3_NO_FDS"
  | "ERR_FD3_PLATFORM"
  | "ERR_FD3_TAKEN"
  | "ERR_FD3_TOO_MANY_FDS"
  | "ERR_FD3_TRANSPLANT"
  | "ERR_FD3_UNHEALTHY"
  | "ETIMEDOUT";

/**
 * The one class of error that fd3 throws, with the same code and text on Deno, Bun and Node. Misuse of an argument is a
 * `TypeError` instead.
 *
 * @example Telling the codes apart
 * ```ts
 * import { Fd3Error, listen } from "@fd3/fd3";
 *
 * try {
 *   await using listener = await listen({ fallback: "127.0.0.1:0" });
 *   console.log(listener.address);
 * } catch (error) {
 *   if (error instanceof Fd3Error && error.code === "EADDRINUSE") console.error("already running");
 *   else throw error;
 * }
 * ```
 */
export class Fd3Error extends Error {
  /** Always `"Fd3Error"`, also where another copy of the class threw it. */
  override readonly name: string = "Fd3Error";
  /** What went wrong, for programs. */
  readonly code: Fd3ErrorCode;

  /**
   * Makes one.
   *
   * @param code What went wrong, for programs.
   * @param message What went wrong, for people: the action, a colon, the value that was found.
   * @param options `cause`: the error underneath.
   */
  constructor(code: Fd3ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
