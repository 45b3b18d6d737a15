import type { FallbackAddress } from "../../src/activation/address.ts";
import { addressOf, type Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { secretName } from "../../src/linux/sockaddr.ts";
import { openTransplanted } from "../../src/linux/transplant.ts";
import { systemError } from "../../src/system_error.ts";
import type { Address } from "../../src/types.ts";
import { fromDeno, toDeno } from "./address.ts";
import { denoHost as host } from "./host.ts";
import { deno, type DenoListener, isGranted } from "./types.ts";

/** Where a placeholder for a socket of this address is opened: nothing of another host reaches it. */
export function placeholderAddress({ transport }: Address): FallbackAddress {
  if (transport === "tcp") return { transport, hostname: "127.0.0.1", port: 0 };
  return { transport: "unix", path: secretName() };
}

/** The error where a placeholder cannot be opened: RestrictAddressFamilies= may forbid it. */
export function noPlaceholder(cause: unknown): Fd3Error {
  return new Fd3Error("ERR_FD3_TRANSPLANT", systemError("open a placeholder", cause).message, { cause });
}

function openPlaceholder(inherited: Address): { native: DenoListener; address: Address; close(): void } {
  const at = placeholderAddress(inherited);
  try {
    const native = deno().listen(toDeno(at));
    return { native, address: at.transport === "tcp" ? fromDeno(native.addr) : at, close: () => native.close() };
  } catch (cause) {
    throw noPlaceholder(cause);
  }
}

/** Why Deno's own listener cannot be had for this address, or `undefined` if it can. Nothing prompts. */
export function obstacle(address: Address | undefined): string | undefined {
  const libc = host.libc();
  if (!hasLibc(libc)) return libc.missing;
  if (address === undefined) return "its address is unknown";
  const host127 = address.transport === "tcp" ? { host: "127.0.0.1:0" } : {};
  if (isGranted({ name: "net", ...host127 })) return undefined;
  return address.transport === "tcp" ? "it needs --allow-net=127.0.0.1" : "it needs --allow-net";
}

/** A listener of Deno's own on an inherited socket. */
export interface DenoAdopted {
  readonly native: DenoListener;
  readonly address: Address;
}

/**
 * Deno's own listener on a chosen descriptor.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` if a permission is missing, `ERR_FD3_TRANSPLANT` if a step failed; nothing has changed then.
 */
export function adoptNative(choice: Choice): DenoAdopted {
  const address = addressOf(choice);
  const why = obstacle(address);
  if (why !== undefined) {
    throw new Fd3Error("ERR_FD3_FFI", `Cannot adopt fd ${choice.fd} as a Deno.Listener: ${why}`);
  }
  const libc = host.libc() as Libc;
  const { native } = openTransplanted(libc, choice.fd, () => openPlaceholder(address!));
  Object.defineProperty(native, "addr", { value: toDeno(address!), configurable: true });
  const close = native.close.bind(native);
  let isOpen = true;
  // Deno closes its own number; the inherited one goes with it.
  const closeBoth = () => {
    if (isOpen) libc.close(choice.fd);
    isOpen = false;
    close();
  };
  Object.defineProperty(native, "close", { configurable: true, value: closeBoth });
  Object.defineProperty(native, Symbol.dispose, { configurable: true, value: () => isOpen && closeBoth() });
  return { native, address: address! };
}
