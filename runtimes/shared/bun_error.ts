import type { FallbackAddress } from "../../src/activation/address.ts";
import { Fd3Error } from "../../src/errors.ts";
import { builtin } from "./builtin.ts";
import type { FsModule } from "./node_types.ts";

/**
 * An error with the code that it lacks: where no descriptor is left, and where the host is unknown, `Bun.listen()` and Bun's
 * node:net say nothing but "Failed to listen at …" (Bun 1.4.5). Any other error is given back as it is.
 *
 * @param error What opening the address threw.
 * @param address Where to listen.
 */
export function withCode(error: unknown, address: FallbackAddress): unknown {
  const bare = error instanceof Fd3Error && error.code === "EIO" ? error.cause : error;
  const { code, message } = Object(bare) as { code?: unknown; message?: unknown };
  if (code !== undefined || typeof message !== "string" || !message.startsWith("Failed to listen at ")) return error;
  const fs = builtin<FsModule>("node:fs");
  try {
    fs.closeSync(fs.openSync("/dev/null", "r"));
  } catch (failure) {
    return Object.assign(new Error(message, { cause: bare }), { code: (failure as { code?: unknown }).code });
  }
  if (address.transport !== "tcp" || address.hostname.includes(":") || /^[0-9.]+$/.test(address.hostname)) return error;
  return Object.assign(new Error(message, { cause: bare }), { code: "ENOTFOUND" });
}
