/**
 * Clients of a daemon in a lab. They run in the driver: a path leads to a Unix socket from every namespace.
 */

import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `check` is true. */
export async function until(what: string, check: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
}

/** A client that is open until it is closed, and keeps what it was sent. */
export interface Client extends Disposable {
  /** What came until now. */
  readonly received: string;
  /** Whether the daemon has closed or broken the connection. */
  readonly ended: boolean;
  send(text: string): void;
  /** Waits until `text`, or anything, has come. */
  receive(text?: string): Promise<string>;
}

/** Connects a client. Nobody has to accept it for that. */
export async function open(path: string): Promise<Client> {
  const socket = await connected(path);
  let received = "";
  let ended = false;
  socket.setEncoding("utf8").on("data", (text) => received += text);
  // "close" follows.
  socket.on("error", () => {}).on("close", () => ended = true);
  return {
    get received() {
      return received;
    },
    get ended() {
      return ended;
    },
    send: (text) => void socket.write(text),
    async receive(text) {
      const isThere = () => text === undefined ? received !== "" : received.includes(text);
      await until(`${JSON.stringify(text)} in ${JSON.stringify(received)}`, isThere);
      return received;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Sends a text on a connection of its own, and gives back everything that comes until the daemon closes. */
export async function ask(path: string, text: string, timeoutMs = 10_000): Promise<string> {
  const socket = await connected(path);
  const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    socket.end(text);
    return (await socket.setEncoding("utf8").toArray()).join("");
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** What became of the connections of a load. */
interface Counts {
  /** Came back with what they had sent. */
  served: number;
  /** Could not be made: ECONNREFUSED, or ENOENT for a path. */
  refused: number;
  /** Were made, and ended before everything had come back. */
  broken: number;
  /** Any other trouble, by its message. */
  readonly other: string[];
}

/** Clients that connect, send, read the echo and close, over and over, each in a lane of its own. */
export interface Load extends AsyncDisposable {
  readonly counts: Counts;
  /** Waits until so many more have been served. */
  served(more: number): Promise<void>;
}

/** Starts a load. */
export function startLoad(path: string, lanes: number): Load {
  const counts: Counts = { served: 0, refused: 0, broken: 0, other: [] };
  let isOver = false;
  async function lane(): Promise<void> {
    for (let i = 0; !isOver; i++) await attempt(path, `${i} ${Math.random()}`, counts);
  }
  const done = Promise.all(Array.from({ length: lanes }, lane));
  return {
    counts,
    served(more) {
      const goal = counts.served + more;
      return until(`${goal} served, and not ${JSON.stringify(counts)}`, () => counts.served >= goal);
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await done;
    },
  };
}

async function attempt(path: string, text: string, counts: Counts): Promise<void> {
  let isConnected = false;
  try {
    const socket = await connected(path);
    isConnected = true;
    const reply = await echoed(socket, text);
    if (reply === text) counts.served++;
    else if (text.startsWith(reply)) counts.broken++;
    else counts.other.push(`${JSON.stringify(reply)} came back for ${JSON.stringify(text)}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (isConnected && (code === "ECONNRESET" || code === "EPIPE")) counts.broken++;
    else if (!isConnected && (code === "ECONNREFUSED" || code === "ENOENT")) counts.refused++;
    else counts.other.push(message);
    // A lane that is refused must not spin.
    await sleep(5);
  }
}

/** Sends a text, and closes once as much has come back. */
async function echoed(socket: Socket, text: string): Promise<string> {
  let reply = "";
  socket.setTimeout(10_000, () => socket.destroy(new Error("no answer within 10 s")));
  socket.write(text);
  for await (const chunk of socket.setEncoding("utf8")) {
    reply += chunk;
    if (reply.length >= text.length) break;
  }
  socket.destroy();
  return reply;
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
