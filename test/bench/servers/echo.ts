// The runtime's own echo server, written as its manual says: `native.ts PATH`.
import { createServer } from "node:net";
import process from "node:process";

interface DenoConn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(chunk: Uint8Array): Promise<number>;
  close(): void;
}

interface Runtimes {
  Deno?: { listen(options: object): AsyncIterable<DenoConn> };
  Bun?: { listen(options: object): unknown };
}

const path = process.argv[2];
const { Deno, Bun } = globalThis as unknown as Runtimes;

async function echoDeno(conn: DenoConn): Promise<void> {
  const buffer = new Uint8Array(65536);
  let n: number | null;
  while ((n = await conn.read(buffer)) !== null) {
    for (let at = 0; at < n;) at += await conn.write(buffer.subarray(at, n));
  }
  conn.close();
}

interface BunSocket {
  data: Uint8Array[];
  write(chunk: Uint8Array): number;
}

/** Bun's write takes what fits; the rest waits for drain. */
function flush(socket: BunSocket): void {
  while (socket.data.length > 0) {
    const taken = socket.write(socket.data[0]);
    if (taken < socket.data[0].length) {
      socket.data[0] = socket.data[0].subarray(Math.max(taken, 0));
      return;
    }
    socket.data.shift();
  }
}

if (Deno !== undefined) {
  for await (const conn of Deno.listen({ transport: "unix", path })) echoDeno(conn).catch(() => {});
} else if (Bun !== undefined) {
  Bun.listen({
    unix: path,
    socket: {
      open: (socket: BunSocket) => void (socket.data = []),
      data(socket: BunSocket, chunk: Uint8Array) {
        socket.data.push(chunk);
        if (socket.data.length === 1) flush(socket);
      },
      drain: flush,
    },
  });
} else {
  createServer((socket) => socket.on("data", (chunk) => socket.write(chunk)).on("error", () => {})).listen(path);
}
