import type { DenoConn, DenoListener } from "./types.ts";

/**
 * What accept(2) says of one client that is gone already: it is out of the queue, so the next one need not wait. Not EPERM and
 * EOPNOTSUPP, although accept(2) names them: a sandbox (SystemCallFilter= of the unit) gives them for each call, and the client stays.
 */
const clientsOwn: readonly unknown[] = [
  ...["ENOTCONN", "ECONNABORTED", "ECONNRESET", "ETIMEDOUT", "EPROTO", "ENETDOWN", "ENETUNREACH"],
  ...["EHOSTDOWN", "EHOSTUNREACH", "ENONET", "ENOPROTOOPT"],
];

/** Whether an error of `accept()` is about a client, not about us: Deno's classes have no code before 2.5. */
export function isOfClient(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === "string") return clientsOwn.includes(code);
  return name === "NotConnected" || name === "ConnectionAborted" || name === "ConnectionReset";
}

/**
 * Lets `accept()` of a Deno.Listener, and so a loop over it, pass over clients that reset their connection before they were accepted.
 * Deno's own rejects with NotConnected, so any client could end the loop (seen in 2.9.6; remove this when Deno skips them).
 *
 * @param native The listener, which is changed.
 * @returns The same listener.
 */
export function pastGone(native: DenoListener): DenoListener {
  const own = native.accept.bind(native);
  const accept = async (): Promise<DenoConn> => {
    for (;;) {
      try {
        return await own();
      } catch (error) {
        if (!isOfClient(error)) throw error;
      }
    }
  };
  return Object.defineProperty(native, "accept", { value: accept, configurable: true });
}
