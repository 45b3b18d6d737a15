import type { FallbackAddress } from "../../src/activation/address.ts";
import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import { longestBacklog } from "../../src/linux/backlog.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { transplant } from "../../src/linux/transplant.ts";
import { systemError } from "../../src/system_error.ts";
import type { Address } from "../../src/types.ts";
import { inheritedBacklog } from "../shared/backlog.ts";
import { addressOf } from "../shared/choice.ts";
import { runtimePath } from "../shared/paths.ts";
import { processGlobal } from "../shared/process_host.ts";
import { host } from "./host.ts";
import { bun, type BunListener } from "./types.ts";

/** Options of `Bun.listen()` but for the address. */
export type BunListenOptions = Readonly<Record<string, unknown>>;

/** `Bun.listen()`'s form of an address. */
export function toBun(address: FallbackAddress): object {
  return address.transport === "unix"
    ? { unix: runtimePath(address.path) }
    : { hostname: address.hostname, port: address.port };
}

let counter = 0;

function openPlaceholder(address: Address, options: BunListenOptions): { native: BunListener; at: Address } {
  try {
    if (address.transport === "tcp") {
      const native = bun().listen({ ...options, hostname: "127.0.0.1", port: 0 });
      return { native, at: { transport: "tcp", hostname: "127.0.0.1", port: native.port! } };
    }
    const at: FallbackAddress = { transport: "unix", path: `@fd3-${processGlobal().pid}-${counter++}` };
    return { native: bun().listen({ ...options, ...toBun(at) }), at };
  } catch (cause) {
    // RestrictAddressFamilies= may forbid it. Bun names the address, which is nobody's business, and has a NUL in it.
    throw new Fd3Error("ERR_FD3_TRANSPLANT", "Cannot open a placeholder with Bun.listen()", { cause });
  }
}

/** What Bun says of the address is the placeholder's, or nothing for a Unix socket that came by its descriptor. */
function tellAddress(native: BunListener, address: Address): void {
  const properties: PropertyDescriptorMap = address.transport === "tcp"
    ? { hostname: { value: address.hostname }, port: { value: address.port } }
    : { unix: { value: runtimePath((address as { path: string }).path) } };
  Object.defineProperties(native, properties);
}

function adoptByTransplant(choice: Choice, address: Address, options: BunListenOptions): BunListener {
  const libc = host.libc() as Libc;
  const { native, at } = openPlaceholder(address, options);
  const fd = transplant(libc, choice.fd, { address: at, close: () => native.stop() });
  const stop = native.stop.bind(native);
  let isOpen = true;
  // Bun closes its own number; the inherited one goes with it.
  const stopBoth = (closeActiveConnections?: boolean) => {
    stop(closeActiveConnections);
    if (isOpen) libc.close(choice.fd);
    isOpen = false;
  };
  Object.defineProperties(native, {
    fd: { value: fd },
    stop: { value: stopBoth },
    [Symbol.dispose]: { value: () => stopBoth() },
  });
  return native;
}

/** A listener of Bun's own on an inherited socket. */
export interface NativeListener {
  readonly native: BunListener;
  readonly address: Address;
}

/**
 * Bun's own listener on a chosen descriptor: by its own `fd` option, or by transplant where it throws (Bun before 1.4) or where
 * the length of the accept queue, which `Bun.listen()` sets anew, could not be put back. Where
 * the sandbox forbids the placeholder that a transplant needs, the queue becomes the longest.
 *
 * @throws {Fd3Error} `ERR_FD3_FFI` or `ERR_FD3_TRANSPLANT` if neither works; nothing has changed then.
 */
export function adoptNative(choice: Choice, options: BunListenOptions): NativeListener {
  const { fd } = choice;
  const address = addressOf(choice);
  const libc = host.libc();
  if (!hasLibc(libc)) return { native: adoptByOption(fd, options), address: { transport: "unix", path: "" } };
  if (address === undefined) throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${fd}: its family is unknown`);
  const byTransplant = () => adoptByTransplant(choice, address, options);
  const byOption = (backlog: number) => {
    const native = adoptByOption(fd, options);
    libc.listen(fd, backlog);
    return native;
  };
  const backlog = inheritedBacklog(host, choice);
  const native = backlog === undefined
    ? firstOf(byTransplant, () => byOption(longestBacklog))
    : firstOf(() => byOption(backlog), byTransplant);
  tellAddress(native, address);
  return { native, address };
}

/** The first way that works. Where none does, what the transplant says is what matters. */
function firstOf(first: () => BunListener, second: () => BunListener): BunListener {
  try {
    return first();
  } catch (error) {
    try {
      return second();
    } catch (other) {
      throw (error as Fd3Error).code === "ERR_FD3_TRANSPLANT" ? error : other;
    }
  }
}

function adoptByOption(fd: number, options: BunListenOptions): BunListener {
  try {
    return bun().listen({ ...options, fd });
  } catch (error) {
    throw systemError(`adopt fd ${fd} with Bun.listen()`, error);
  }
}
