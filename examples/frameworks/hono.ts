// Hono by `serve()`, which takes its fetch handler as it is: `hono.ts [ADDRESS]`, by default 127.0.0.1:8080.
//
// Deno: `deno run --allow-env=LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES --allow-ffi --allow-net hono.ts`
import { Hono } from "hono";
import { args, exit, serve, type ServeInfo, terminated } from "../../mod.ts";

// What serve() says of a request is Hono's `env`.
const app = new Hono<{ Bindings: ServeInfo }>();
app.get("/", (c) => c.text("Hello World"));
app.get("/about", (c) => {
  const { activated, address, engine } = server;
  return c.json({ framework: "Hono", activated, address, engine });
});
app.get("/ip", (c) => c.json(c.env.remoteAddress));
app.post("/echo", async (c) => c.body(await c.req.arrayBuffer()));

const server = await serve(app.fetch, { fallback: args()[0] ?? "127.0.0.1:8080", signal: terminated() });
await server.finished;
exit(0);
