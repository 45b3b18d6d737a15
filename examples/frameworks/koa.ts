// Koa on a server that is attached: `koa.ts [ADDRESS]`, by default 127.0.0.1:8080.
//
// Deno: `deno run --allow-env --allow-ffi koa.ts`
import Koa from "koa";
import { createServer } from "node:http";
import { args, attach, exit, terminated } from "../../mod.ts";

const app = new Koa();
app.use((context) => {
  const { method, path, ip, req } = context;
  switch (`${method} ${path}`) {
    case "GET /":
      context.body = "Hello World";
      break;
    case "GET /about": {
      const { activated, address } = attached;
      context.body = { framework: "Koa", activated, address };
      break;
    }
    case "GET /ip":
      context.body = { hostname: ip, port: req.socket.remotePort };
      break;
    case "POST /echo":
      // A stream is a body, too.
      context.body = req;
  }
});

const server = createServer(app.callback());
const attached = await attach(server, { fallback: args()[0] ?? "127.0.0.1:8080", signal: terminated() });
await attached.finished;
exit(0);
