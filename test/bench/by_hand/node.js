// An echo daemon on fd 3 with nothing but node:net, which all three runtimes have.
import { createServer } from "node:net";
import process from "node:process";

if (Number(process.env.LISTEN_PID) !== process.pid || process.env.LISTEN_FDS !== "1") process.exit(1);
delete process.env.LISTEN_PID;
delete process.env.LISTEN_FDS;
const server = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => {}).pipe(socket));
server.listen({ fd: 3 });
process.on("SIGTERM", () => server.close());
