// WebSockets of the package ws, which send back what comes, on a server that is attached: `ws.ts [ADDRESS]`, by default 127.0.0.1:8080.
//
// Deno: `deno run --allow-env --allow-ffi ws.ts`
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { args, attach, exit, terminated } from "../../mod.ts";

const server = createServer((request, response) => {
  const { activated, address } = attached;
  const { remoteAddress: hostname, remotePort: port } = request.socket;
  const answers: Record<string, unknown> = {
    "/about": { framework: "ws", activated, address },
    "/ip": { hostname, port },
  };
  const answer = answers[request.url!];
  response.end(answer === undefined ? "Hello World" : JSON.stringify(answer));
});
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })));

// At the stop, those that are open are closed with 1001 after `streamTimeout`.
const attached = await attach(server, {
  fallback: args()[0] ?? "127.0.0.1:8080",
  signal: terminated(),
  streamTimeout: 1000,
});
await attached.finished;
exit(0);
