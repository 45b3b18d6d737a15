// An echo daemon like the foobard of sd-daemon(3): it uses the one socket that it is passed, refuses more, and
// otherwise opens its own.
//
//   foobard.ts [ADDRESS]      default /run/foobar.sk
import { args, type Connection, exit, Fd3Error, listen, type Listener, listenFds, terminated } from "../mod.ts";

/** How long connections may take to finish once SIGTERM came. */
const graceMs = 5000;

async function open(): Promise<Listener> {
  try {
    if (listenFds().length > 1) throw new Fd3Error("ERR_FD3_TOO_MANY_FDS", "Too many file descriptors received");
    return await listen({ fallback: args()[0] ?? "/run/foobar.sk" });
  } catch (error) {
    console.error((error as Error).message);
    return exit(1);
  }
}

async function echo(connection: Connection): Promise<void> {
  try {
    await connection.forEach((chunk) => connection.write(chunk));
  } catch (error) {
    // A peer that breaks its connection is no reason to end the daemon.
    if (!terminated().aborted) console.error((error as Error).message);
  } finally {
    await connection.close();
  }
}

const listener = await open();
const connections = new Set<Promise<void>>();
terminated().addEventListener("abort", () => listener.close());
for await (const connection of listener) {
  const done = echo(connection).finally(() => connections.delete(done));
  connections.add(done);
}
await Promise.race([Promise.all(connections), new Promise((resolve) => setTimeout(resolve, graceMs))]);
exit(0);
