// Elysia on Bun's own server, which its WebSockets need: `elysia.ts [ADDRESS]`, by default 127.0.0.1:8080.
import { Elysia } from "elysia";
import { websocket } from "elysia/ws";
import { args, exit, listenFds, terminated } from "../../mod.ts";
import { serveNative } from "../../runtimes/bun.ts";

const activated = listenFds().length > 0;
const app = new Elysia()
  .get("/", "Hello World")
  .get("/about", () => ({ framework: "Elysia", activated, address: server.address }))
  .get("/ip", ({ request }) => server.requestIP(request))
  .post("/echo", ({ body }) => body, { parse: "arrayBuffer" })
  .ws("/ws", {
    message: (socket, message) => void socket.send(message),
  });

const server = await serveNative({
  fallback: args()[0] ?? "127.0.0.1:8080",
  fetch: app.fetch,
  websocket,
  streamTimeout: 1000,
});
// Elysia asks it for upgrades.
app.server = server;
// At the stop, WebSockets that are open are closed with 1001 after `streamTimeout`.
terminated().addEventListener("abort", () => void server.shutdown().then(() => exit(0)));
