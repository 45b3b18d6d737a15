// Express on a server that is attached: `express.ts [ADDRESS]`, by default 127.0.0.1:8080.
//
// Deno: `deno run --allow-env --allow-ffi express.ts`
import express from "express";
import { createServer } from "node:http";
import { args, attach, exit, terminated } from "../../mod.ts";

const app = express();
app.get("/", (_request, response) => void response.type("text").send("Hello World"));
app.get("/about", (_request, response) => {
  const { activated, address } = attached;
  response.json({ framework: "Express", activated, address });
});
app.get("/ip", (request, response) => void response.json({ hostname: request.ip, port: request.socket.remotePort }));
app.post("/echo", express.raw({ type: () => true }), (request, response) => void response.send(request.body));

const server = createServer(app);
const attached = await attach(server, { fallback: args()[0] ?? "127.0.0.1:8080", signal: terminated() });
await attached.finished;
exit(0);
