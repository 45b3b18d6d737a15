// h3 by `serve()`: `h3.ts [ADDRESS]`, by default 127.0.0.1:8080.
//
// Deno: `deno run --allow-env --allow-ffi --allow-net h3.ts`
import { getRequestIP, H3 } from "h3";
import { args, exit, serve, terminated } from "../../mod.ts";

const app = new H3();
app.get("/", () => "Hello World");
app.get("/about", () => {
  const { activated, address, engine } = server;
  return { framework: "h3", activated, address, engine };
});
app.get("/ip", (event) => ({ hostname: getRequestIP(event) }));
app.post("/echo", (event) => event.req.arrayBuffer());

const server = await serve((request, { remoteAddress }) => {
  // Where h3 looks for it, whatever serves.
  const ip = remoteAddress.transport === "tcp" ? remoteAddress.hostname : undefined;
  return app.fetch(Object.assign(request, { ip }));
}, { fallback: args()[0] ?? "127.0.0.1:8080", signal: terminated() });
await server.finished;
exit(0);
