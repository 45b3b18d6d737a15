// The strict foobard: without a socket from the service manager it does not start.
import { type Connection, exit, listen, listenFds, terminated } from "../mod.ts";

async function echo(connection: Connection): Promise<void> {
  await connection.forEach((chunk) => connection.write(chunk));
  await connection.close();
}

try {
  if (listenFds().length > 1) throw new Error("Too many file descriptors received");
  const listener = await listen();
  terminated().addEventListener("abort", () => exit(0));
  for await (const connection of listener) echo(connection).catch((error) => console.error(error.message));
} catch (error) {
  console.error((error as Error).message);
  exit(1);
}
