import { looksInLimit, watchIdleConnections } from "../../../src/http/idle.ts";
import { backgroundTimerOf } from "../background_timer.ts";
import { builtin } from "../common.ts";
import type { HttpSocket } from "./types.ts";

/** What must be known of a connection to tell that it does nothing. */
interface Connection {
  readonly socket: HttpSocket;
  /** Requests that have no whole answer yet. */
  readonly pending: number;
  /** The request that made another protocol of it: then it is no matter of ours how long it is silent. */
  readonly upgrade: object | undefined;
  /** How many have come. On Bun the bytes do not tell: none is counted that came, and of those that went only the last answer's. */
  readonly requests: number;
}

/** What had moved on a connection at a look, and how many more looks in a row found nothing new. */
interface Rest {
  readonly moved: string;
  looks: number;
}

/** Another one when something has moved. */
function movedOn({ socket: { bytesRead, bytesWritten }, requests }: Connection): string {
  return `${requests} ${bytesRead} ${bytesWritten}`;
}

function isAtRest(connection: Connection, rest: Rest | undefined): rest is Rest {
  return connection.pending === 0 && connection.upgrade === undefined && rest?.moved === movedOn(connection);
}

/**
 * Gives the event loop the time to read what has arrived. Deno reads where its loop waits: on a busy machine, two turns without a wait
 * are sometimes too few.
 */
export async function untilRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => void setTimeout(resolve, 5));
}

/**
 * Closes connections of a server of node:http that do nothing, in place of Node's own limits: these cut an upload that takes longer, and
 * a connection whose next request has arrived and was not read yet.
 *
 * @param open The connections.
 * @param limitMs For how long they may do nothing.
 * @returns What ends that.
 */
export function closeIdleConnections(open: Iterable<Connection>, limitMs: number): () => void {
  const rests = new WeakMap<Connection, Rest>();
  // Not by the clock: when a handler has kept the event loop for long, nothing was read that came meanwhile.
  const hasRested = (connection: Connection): boolean => {
    const rest = rests.get(connection);
    if (isAtRest(connection, rest)) return ++rest.looks >= looksInLimit;
    rests.set(connection, { moved: movedOn(connection), looks: 0 });
    return false;
  };
  const look = async () => {
    const idle = [...open].filter(hasRested);
    if (idle.length === 0) return;
    await untilRead();
    for (const connection of idle) if (isAtRest(connection, rests.get(connection))) connection.socket.destroySoon();
  };
  const { setTimeout: set } = builtin<{ setTimeout(callback: () => void, ms: number): object }>("node:timers");
  return watchIdleConnections(backgroundTimerOf(set), limitMs, () => void look());
}
