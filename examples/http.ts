// A web service: it serves on the one socket that it is passed, refuses more, and otherwise opens its own.
//
//   http.ts [ADDRESS]      default 127.0.0.1:8080
import { args, exit, listenFds, serve, terminated } from "../mod.ts";

try {
  if (listenFds().length > 1) throw new Error("Too many file descriptors received");
  const server = await serve((request) => {
    switch (new URL(request.url).pathname) {
      case "/":
        return new Response("Hello World", { headers: { "content-type": "text/plain" } });
      case "/about":
        return Response.json({ engine: server.engine, activated: server.activated, address: server.address });
      default:
        return new Response("Not Found", { status: 404 });
    }
  }, { fallback: args()[0] ?? "127.0.0.1:8080", signal: terminated() });
  await server.finished;
} catch (error) {
  console.error((error as Error).message);
  exit(1);
}
exit(0);
