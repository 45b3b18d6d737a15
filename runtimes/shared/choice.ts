import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import type { Address } from "../../src/types.ts";

/**
 * The address of a chosen listener, where it is known.
 *
 * @throws {Fd3Error} `ERR_FD3_PLATFORM` for a vsock: no runtime accepts on one.
 */
export function addressOf({ fd, kind }: Choice): Exclude<Address, { transport: "vsock" }> | undefined {
  const address = kind?.is === "socket" ? kind.address : undefined;
  if (address?.transport === "vsock") {
    throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${fd} as a stream listener: no runtime accepts on a vsock`);
  }
  return address;
}
