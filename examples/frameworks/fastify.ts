// Fastify, whose server is attached instead of `listen()`: `fastify.ts [ADDRESS]`, by default 127.0.0.1:8080.
//
// Deno: `deno run --allow-env --allow-ffi fastify.ts`
import { fastify } from "fastify";
import { args, attach, exit, terminated } from "../../mod.ts";

const app = fastify();
app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
app.get("/", () => "Hello World");
app.get("/about", () => {
  const { activated, address } = attached;
  return { framework: "Fastify", activated, address };
});
app.get("/ip", ({ ip, socket }) => ({ hostname: ip, port: socket.remotePort }));
app.post("/echo", ({ body }) => body);

await app.ready();
const attached = await attach(app.server, { fallback: args()[0] ?? "127.0.0.1:8080", signal: terminated() });
await attached.finished;
// Its onClose hooks.
await app.close();
exit(0);
