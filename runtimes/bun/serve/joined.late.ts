import type { BunServer } from "../types.ts";

/** The members whose answers are added up. */
const counts = ["pendingRequests", "pendingWebSockets"] as const;
/** The functions that are called on each, and whose results are added up. */
const sums = ["publish", "subscriberCount", "closeIdleConnections"] as const;
/** Those that are called on each, as only one knows the request. */
const firsts = ["requestIP", "upgrade"] as const;
/** Those that are called on each. */
const all = ["timeout", "ref", "unref"] as const;

type Method = (...args: unknown[]) => unknown;

/**
 * Makes the server of the first of several sockets speak for the servers of all. What its own WebSockets publish reaches those of the same
 * socket: `server.publish()` reaches all.
 *
 * @param servers One for each socket.
 */
export function speakForAll(servers: readonly BunServer[]): void {
  const [first] = servers;
  const own = (name: keyof BunServer) =>
    servers.map((server) => (server[name] as Method | undefined)?.bind(server)).filter((method) =>
      method !== undefined
    );
  const properties: PropertyDescriptorMap = {};
  for (const name of counts) {
    const prototype = Object.getPrototypeOf(first);
    const get = () => servers.reduce((sum, server) => sum + (Reflect.get(prototype, name, server) as number), 0);
    properties[name] = { configurable: true, get };
  }
  const define = (name: keyof BunServer, call: (results: Method[]) => Method) =>
    properties[name] = { configurable: true, value: call(own(name)) };
  for (const name of sums) {
    define(name, (methods) => (...args) => methods.reduce((sum, method) => sum + (method(...args) as number), 0));
  }
  for (const name of firsts) {
    define(name, (methods) => (...args) => {
      for (const method of methods) {
        const result = method(...args);
        if (result) return result;
      }
      return name === "upgrade" ? false : null;
    });
  }
  for (const name of all) {
    define(name, (methods) => (...args) => {
      for (const method of methods) method(...args);
    });
  }
  define("reload", (methods) => (...args) => {
    for (const method of methods) method(...args);
    return first;
  });
  Object.defineProperties(first, properties);
}
