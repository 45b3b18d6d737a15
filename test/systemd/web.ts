/**
 * HTTP clients of a daemon in a lab, and the variants that it runs on. They run in the driver: a path leads to a Unix socket from every
 * namespace.
 */

import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import type { Socket } from "node:net";
import { type Service, type Variant, variantsOf } from "./variants.ts";

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The connection that it came on. */
  readonly socket: Socket;
}

/** Asks, on a connection of its own unless an agent is given. */
export function get(socketPath: string, path = "/", agent: Agent | false = false, timeoutMs = 60_000): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent, timeout: timeoutMs }, (response) => {
      const { socket, statusCode } = response;
      response.setEncoding("utf8").toArray().then(
        (chunks) => resolve({ status: statusCode!, body: chunks.join(""), socket }),
        reject,
      );
    });
    sent.on("timeout", () => sent.destroy(new Error(`nothing for ${timeoutMs} ms`)));
    sent.on("error", reject);
    sent.end();
  });
}

/** What a request for `/` gets: the greeting, and the count. */
export async function greeted(socketPath: string, path = "/", agent: Agent | false = false): Promise<[string, number]> {
  const { status, body } = await get(socketPath, path, agent);
  const found = /^(.*)\n(\d+)\n$/.exec(body);
  assert.ok(status === 200 && found !== null, `${status} ${JSON.stringify(body)}`);
  return [found[1], Number(found[2])];
}

/** A client that keeps one connection. */
export function keepAlive(): Agent & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() });
}

/** Each variant once, of Node those that differ in how they call libc. A descriptor can be stored only with libc. */
export function someVariants(service: Service): Variant[] {
  const all = variantsOf(service).filter(({ name }) => name !== "Node 22");
  if (service === "durable") return all;
  const node20 = all.find(({ name }) => name === "Node 20")!;
  const adjust = (unit: string) =>
    unit.replace("/usr/bin/node ", "/usr/bin/node --no-addons ").replace("NotifyAccess=main", "NotifyAccess=all");
  return [...all, { ...node20, name: "Node 20 without koffi", ffi: false, adjust }];
}
