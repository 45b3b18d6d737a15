/** What is under way at a server, for whoever decides when it can end. */
export interface Traffic {
  /** Requests that have no whole answer yet. */
  inFlight(): number;
  /** Open connections; `undefined` where nobody knows. */
  connections(): number | undefined;
  /** Connections that owe us a request; `undefined` where nobody knows. See `Engine.unread`. */
  unread(): number | undefined;
  /** How many requests came until now. */
  handled?(): number;
}

/** How long a client may take to send its request after it was accepted, where nobody can see that it has not, in milliseconds. */
export const graceMs = 500;

/**
 * Whether nothing is lost if the server ends now. One look is not enough: what the kernel has and the runtime has not read yet is in
 * neither count for a moment. Those of `untilQuiet()` lost nothing.
 *
 * @param traffic The server's.
 * @param calmMs For how long nothing can have been accepted.
 */
export function isQuiet(traffic: Traffic, calmMs: number): boolean {
  if (traffic.inFlight() > 0) return false;
  const unread = traffic.unread();
  if (unread !== undefined) return unread === 0;
  return calmMs >= graceMs || traffic.connections() === 0;
}

// On globalThis, as the table of descriptors is: a daemon of one copy of fd3 may have a server of another.
const key: unique symbol = Symbol.for("fd3.traffic");

function registry(): WeakMap<object, Traffic> {
  const holder = globalThis as { [key]?: WeakMap<object, Traffic> };
  return holder[key] ??= new WeakMap();
}

/**
 * Makes a server's traffic known inside fd3; it is no part of the server's own interface.
 *
 * @param server What the user holds: an `HttpServer`, or a runtime's own server.
 * @param traffic What is under way there.
 */
export function tellTraffic(server: object, traffic: Traffic): void {
  registry().set(server, traffic);
}

/** The traffic of a server; `undefined` if it is none of ours. */
export function trafficOf(server: object): Traffic | undefined {
  return registry().get(server);
}
