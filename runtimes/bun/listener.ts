import { type FallbackAddress, formatAddress } from "../../src/activation/address.ts";
import type { Choice } from "../../src/activation/choose.ts";
import { hasLibc } from "../../src/host.ts";
import { PushListener } from "../../src/stream/listener.ts";
import { systemError } from "../../src/system_error.ts";
import type { Address, Listener } from "../../src/types.ts";
import { clearTheWay, ownFile } from "../shared/socket_file.ts";
import { socketHandlers } from "./connection.ts";
import { ExhaustionGuard } from "./exhaustion.ts";
import { host } from "./host.ts";
import { adoptNative, type BunListenOptions, toBun } from "./native.ts";
import { bun, type BunListener } from "./types.ts";

function guard(native: BunListener): ExhaustionGuard | undefined {
  const libc = host.libc();
  return hasLibc(libc) && native.fd !== undefined ? new ExhaustionGuard(libc, native.fd) : undefined;
}

interface Opened {
  readonly native: BunListener;
  readonly address: Address;
}

/** Opens one of Bun's listeners and makes a {@linkcode Listener} of it. */
function wrap(
  open: (options: BunListenOptions) => Opened,
  activated: boolean,
  name: string | undefined,
  around: (close: () => void) => void,
): Listener {
  // Bun calls nothing before the event loop turns, so all of these are set by then.
  let exhaustion: ExhaustionGuard | undefined;
  const socket = socketHandlers(() => listener.address, {
    opened(connection) {
      exhaustion?.opened();
      listener.push(connection);
    },
    closed: () => exhaustion?.closed(),
  });
  const { native, address } = open({ socket, allowHalfOpen: true });
  exhaustion = guard(native);
  const stop = () => {
    exhaustion?.stop();
    exhaustion = undefined;
    around(() => native.stop());
  };
  const listener = new PushListener({ address, activated, name, stop });
  return listener;
}

/** A stream listener on an inherited descriptor. */
export function adoptBun(choice: Choice): Listener {
  return wrap((options) => adoptNative(choice, options), true, choice.name, (close) => close());
}

/** Opens an address with Bun.listen(). */
export async function openBun(address: FallbackAddress, mode: number | undefined): Promise<Listener> {
  const isFile = address.transport === "unix" && address.path.startsWith("/");
  if (isFile) await clearTheWay(address.path);
  const open = (options: BunListenOptions): Opened => {
    try {
      const native = bun().listen({ ...options, ...toBun(address) });
      if (address.transport === "unix") return { native, address };
      return { native, address: { transport: "tcp", hostname: native.hostname!, port: native.port! } };
    } catch (error) {
      throw systemError(`listen on ${formatAddress(address)}`, error);
    }
  };
  const listener = wrap(open, false, undefined, (close) => file === undefined ? close() : file.around(close));
  const file = isFile ? ownFile(address.path, mode) : undefined;
  return listener;
}
