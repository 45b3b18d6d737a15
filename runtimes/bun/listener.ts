import type { FallbackAddress } from "../../src/activation/address.ts";
import type { Choice } from "../../src/activation/choose.ts";
import { hasLibc } from "../../src/host.ts";
import { localAddress } from "../../src/linux/socket.ts";
import { PushListener } from "../../src/stream/listener.ts";
import type { Address, FileAccess, Listener } from "../../src/types.ts";
import { socketHandlers } from "./connection.ts";
import { ExhaustionGuard } from "./exhaustion.ts";
import { bunHost as host } from "./host.ts";
import { adoptNative } from "./native.ts";
import type { BunListener, BunListenOptions } from "./types.ts";

function guard(native: BunListener): ExhaustionGuard | undefined {
  const libc = host.libc();
  return hasLibc(libc) && native.fd !== undefined ? new ExhaustionGuard(libc, native.fd) : undefined;
}

interface OpenedListener {
  readonly native: BunListener;
  readonly address: Address;
}

/** Opens one of Bun's listeners and makes a {@linkcode Listener} of it. */
async function wrap(
  open: (options: BunListenOptions) => OpenedListener | Promise<OpenedListener>,
  activated: boolean,
  name: string | undefined,
): Promise<Listener> {
  // Bun calls nothing before the event loop turns, so both are set by then.
  let exhaustion: ExhaustionGuard | undefined;
  const socket = socketHandlers(() => listener.address, {
    opened(connection) {
      exhaustion?.opened();
      listener.push(connection);
    },
    closed: () => exhaustion?.closed(),
  });
  const { native, address } = await open({ socket, allowHalfOpen: true });
  exhaustion = guard(native);
  const stop = () => {
    exhaustion?.stop();
    exhaustion = undefined;
    native.stop();
  };
  const listener = new PushListener({ address, activated, name, stop });
  return listener;
}

/** A stream listener on an inherited descriptor. */
export function adoptBun(choice: Choice): Promise<Listener> {
  return wrap((options) => adoptNative(choice, options), true, choice.name);
}

/** Opens an address with Bun.listen(). */
export function openBun(fallback: FallbackAddress, access: FileAccess): Promise<Listener> {
  const open = async (options: BunListenOptions): Promise<OpenedListener> => {
    const { openNative } = await import("./fallback.late.ts");
    const native = await openNative(fallback, access, options);
    if (fallback.transport === "unix") return { native, address: fallback };
    const libc = host.libc();
    // A host name stays a name in what Bun says.
    const real = hasLibc(libc) && native.fd !== undefined ? localAddress(libc, native.fd) : undefined;
    return { native, address: real ?? { transport: "tcp", hostname: native.hostname!, port: native.port! } };
  };
  return wrap(open, false, undefined);
}
