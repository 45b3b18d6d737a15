import { addressOf, type Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import { hasLibc } from "../../src/host.ts";
import { inheritedBacklog, longestBacklog } from "../../src/linux/backlog.ts";
import { systemError } from "../../src/system_error.ts";
import type { Address } from "../../src/types.ts";
import { runtimePath } from "../shared/common.ts";
import { bunHost as host } from "./host.ts";
import { bun, type BunListener, type BunListenOptions } from "./types.ts";

/** What Bun says of the address is the placeholder's, or nothing for a Unix socket that came by its descriptor. */
function tellAddress(native: BunListener, address: Address): void {
  const properties: PropertyDescriptorMap = address.transport === "tcp"
    ? { hostname: { value: address.hostname }, port: { value: address.port } }
    : { unix: { value: runtimePath((address as { path: string }).path) } };
  Object.defineProperties(native, properties);
}

/** A listener of Bun's own on an inherited socket. */
export interface BunAdopted {
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
export async function adoptNative(choice: Choice, options: BunListenOptions): Promise<BunAdopted> {
  const { fd } = choice;
  const address = addressOf(choice);
  const libc = host.libc();
  if (!hasLibc(libc)) return { native: adoptByOption(fd, options), address: { transport: "unix", path: "" } };
  if (address === undefined) throw new Fd3Error("ERR_FD3_PLATFORM", `Cannot adopt fd ${fd}: its family is unknown`);
  const byTransplant = async () => (await import("./transplanted.late.ts")).adoptByTransplant(choice, address, options);
  const byOption = (backlog: number) => {
    const native = adoptByOption(fd, options);
    libc.listen(fd, backlog);
    return native;
  };
  const backlog = inheritedBacklog(host, choice);
  const native = backlog === undefined
    ? await firstOf(byTransplant, () => byOption(longestBacklog))
    : await firstOf(() => byOption(backlog), byTransplant);
  tellAddress(native, address);
  return { native, address };
}

type Opening = () => BunListener | Promise<BunListener>;

/** The first way that works. Where none does, what the transplant says is what matters. */
async function firstOf(first: Opening, second: Opening): Promise<BunListener> {
  try {
    return await first();
  } catch (error) {
    try {
      return await second();
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
