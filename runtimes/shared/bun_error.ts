import type { FallbackAddress } from "../../src/activation/address.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc, type Host } from "../../src/host.ts";
import { AF_INET, AF_INET6, AF_UNIX, EAFNOSUPPORT, SOCK_CLOEXEC, SOCK_STREAM } from "../../src/linux/constants.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { builtin } from "./common.ts";
import type { DnsModule, FsModule } from "./node_types.ts";

function withNewCode(error: unknown, code: unknown): Error {
  return Object.assign(new Error((error as Error).message, { cause: error }), { code });
}

/** Whether an address has a name in it, which may be unknown. */
function hasName(address: FallbackAddress): address is FallbackAddress & { transport: "tcp" } {
  return address.transport === "tcp" && !address.hostname.includes(":") && !/^[0-9.]+$/.test(address.hostname);
}

/** Whether the sandbox forbids every kind of socket that an address may need: RestrictAddressFamilies= of systemd.exec(5). */
function isForbidden(libc: Libc, address: FallbackAddress): boolean {
  let families = [AF_UNIX];
  if (address.transport === "tcp") {
    families = hasName(address) ? [AF_INET, AF_INET6] : [address.hostname.includes(":") ? AF_INET6 : AF_INET];
  }
  return families.every((family) => {
    const fd = libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) libc.close(fd);
    return fd === -EAFNOSUPPORT;
  });
}

/** What "Failed to listen at …" is about, with which `Bun.listen()` and Bun's node:net leave it. */
function listenCode(host: Host, address: FallbackAddress): unknown {
  const fs = builtin<FsModule>("node:fs");
  try {
    fs.closeSync(fs.openSync("/dev/null", "r"));
  } catch (failure) {
    return (failure as { code?: unknown }).code;
  }
  const libc = host.libc();
  if (hasLibc(libc) && isForbidden(libc, address)) return "EAFNOSUPPORT";
  if (address.transport === "unix" && address.path.startsWith("/")) return folderCode(address.path);
  return hasName(address) ? "ENOTFOUND" : undefined;
}

/** Why the folder of a path takes no file, such as EROFS or ENOTDIR. */
function folderCode(path: string): unknown {
  const fs = builtin<FsModule>("node:fs");
  try {
    fs.accessSync(`${path.slice(0, path.lastIndexOf("/"))}/`, fs.constants.W_OK);
    return undefined;
  } catch (failure) {
    return (failure as { code?: unknown }).code;
  }
}

/** Where the host is unknown, `Bun.serve()` and Bun's node:http say whatever errno happens to be, or EADDRINUSE. */
async function serveCode(address: FallbackAddress): Promise<unknown> {
  if (!hasName(address)) return undefined;
  try {
    await builtin<DnsModule>("node:dns").promises.lookup(address.hostname);
    return undefined;
  } catch {
    return "ENOTFOUND";
  }
}

/**
 * An error with the code that it lacks, or the right one instead of a wrong one (Bun 1.4.5). Any other error is given back as it is.
 *
 * @param host The runtime.
 * @param error What opening the address threw.
 * @param address Where to listen.
 */
export async function withCode(host: Host, error: unknown, address: FallbackAddress): Promise<unknown> {
  const bare = error instanceof Fd3Error ? error.cause : error;
  const { code, message, syscall } = Object(bare) as { code?: unknown; message?: unknown; syscall?: unknown };
  if (typeof message !== "string") return error;
  let better: unknown;
  if (code === undefined && message.startsWith("Failed to listen at ")) better = listenCode(host, address);
  if (syscall === "listen") better = await serveCode(address);
  return better === undefined ? error : withNewCode(bare, better);
}
