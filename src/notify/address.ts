import { Fd3Error } from "../errors.ts";

/** `sizeof(sun_path)`; a path needs one more byte for its NUL. */
const longest = 108;

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
    throw new Fd3Error(code, `Cannot notify the service manager: NOTIFY_SOCKET is ${JSON.stringify(value)}, ${why}`);
  };
  // A virtual machine's way to its host, since systemd 254.
  if (/^vsock(-(stream|dgram|seqpacket))?:/.test(value)) fail("ERR_FD3_PLATFORM", "and fd3 sends to no vsock");
  if (!/^[/@]./s.test(value)) fail("EINVAL", "neither an absolute path nor an abstract name");
  const { length } = encoder.encode(value);
  if (length > (value.startsWith("@") ? longest : longest - 1)) fail("ENAMETOOLONG", `${length} bytes long`);
  return value;
}
