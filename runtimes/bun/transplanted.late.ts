import type { FallbackAddress } from "../../src/activation/address.ts";
import type { Choice } from "../../src/activation/choose.ts";
import { Fd3Error } from "../../src/errors.ts";
import type { Libc } from "../../src/linux/libc.ts";
import { secretName } from "../../src/linux/sockaddr.ts";
import { openTransplanted } from "../../src/linux/transplant.ts";
import type { Address } from "../../src/types.ts";
import { toBun } from "./address.ts";
import { bunHost as host } from "./host.ts";
import { bun, type BunListener, type BunListenOptions } from "./types.ts";

interface Opened {
  readonly native: BunListener;
  readonly address: Address;
  close(): void;
}

function openPlaceholder({ transport }: Address, options: BunListenOptions): Opened {
  const opened = (at: FallbackAddress): Opened => {
    const native = bun().listen({ ...options, ...toBun(at) });
    const address = at.transport === "tcp" ? { ...at, port: native.port! } : at;
    return { native, address, close: () => native.stop() };
  };
  try {
    if (transport === "tcp") return opened({ transport, hostname: "127.0.0.1", port: 0 });
    return opened({ transport: "unix", path: secretName() });
  } catch (cause) {
    // RestrictAddressFamilies= may forbid it. Bun names the address, which is nobody's business, and has a NUL in it.
    throw new Fd3Error("ERR_FD3_TRANSPLANT", "Cannot open a placeholder with Bun.listen()", { cause });
  }
}

/**
 * A listener of Bun's own, opened elsewhere and put on the inherited socket.
 *
 * @throws {Fd3Error} `ERR_FD3_TRANSPLANT`; nothing has changed then.
 */
export function adoptByTransplant(choice: Choice, address: Address, options: BunListenOptions): BunListener {
  const libc = host.libc() as Libc;
  const { native, watched } = openTransplanted(libc, choice.fd, () => openPlaceholder(address, options));
  const stop = native.stop.bind(native);
  let isOpen = true;
  // Bun closes its own number; the inherited one goes with it.
  const stopBoth = (closeActiveConnections?: boolean) => {
    stop(closeActiveConnections);
    if (isOpen) libc.close(choice.fd);
    isOpen = false;
  };
  Object.defineProperties(native, {
    fd: { value: watched.entry.fd },
    stop: { value: stopBoth },
    [Symbol.dispose]: { value: () => stopBoth() },
  });
  return native;
}
