import { Fd3Error } from "../errors.ts";
import { quoted } from "../quoted.ts";

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
