// Elysia on Bun's own server, which its WebSockets need: `elysia.ts [ADDRESS]`, by default 127.0.0.1:8080.
import { Elysia } from "elysia";
import { websocket } from "elysia/ws";
import type { ServerWebSocket } from "elysia/ws/bun";
import { args, exit, listenFds, terminated } from "../../mod.ts";
import { serveNative } from "../../runtimes/bun.ts";

const activated = listenFds().length > 0;
const sockets = new Set<ServerWebSocket<unknown>>();
const app = new Elysia()
  .get("/", "Hello World")
  .get("/about", () => ({ framework: "Elysia", activated, address: server.address }))
  .get("/ip", ({ request }) => server.requestIP(request))
  .post("/echo", ({ body }) => body, { parse: "arrayBuffer" })
  .ws("/ws", {
    open: ({ raw }) => void sockets.add(raw),
    message: (socket, message) => void socket.send(message),
    close: ({ raw }) => void sockets.delete(raw),
  });

const server = await serveNative({ fallback: args()[0] ?? "127.0.0.1:8080", fetch: app.fetch, websocket });
// Elysia asks it for upgrades.
app.server = server;
terminated().addEventListener("abort", () => {
  void server.stop().then(() => exit(0));
  // Or the server would wait for them.
  for (const socket of sockets) socket.close(1001);
});
