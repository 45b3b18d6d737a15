import { watchIdleConnections } from "../../../src/http/idle.ts";
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

/** Since when nothing has moved on a connection, as far as that was looked at. */
interface Rest {
  readonly moved: string;
  readonly since: number;
}

/** Another one when something has moved. */
function movedOn({ socket: { bytesRead, bytesWritten }, requests }: Connection): string {
  return `${requests} ${bytesRead} ${bytesWritten}`;
}

/** A turn of the event loop, in which what has arrived is read. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve));
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
  const hasRested = (connection: Connection): boolean => {
    const moved = movedOn(connection);
    const now = performance.now();
    const rest = rests.get(connection);
    if (connection.pending === 0 && connection.upgrade === undefined && rest?.moved === moved) {
      return now - rest.since >= limitMs;
    }
    rests.set(connection, { moved, since: now });
    return false;
  };
  const look = async () => {
    const idle = [...open].filter(hasRested);
    if (idle.length === 0) return;
    for (let turns = 0; turns < 2; turns++) await turn();
    for (const connection of idle) if (hasRested(connection)) connection.socket.destroySoon();
  };
  const { setTimeout: set } = builtin<{ setTimeout(callback: () => void, ms: number): object }>("node:timers");
  return watchIdleConnections(backgroundTimerOf(set), limitMs, () => void look());
}
