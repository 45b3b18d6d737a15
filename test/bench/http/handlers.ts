// The same answers, as a fetch handler and as a listener of node:http: hello world, 64 KiB, and a JSON body given back.
import type { IncomingMessage, ServerResponse } from "node:http";

const large = new Uint8Array(65536).fill(120);

/** What each part of the benchmark asks, as wrk is told. */
export const requests: Record<string, { readonly path: string; readonly script?: string }> = {
  "hello world": { path: "/" },
  "64 KiB": { path: "/large" },
  "JSON echo": {
    path: "/json",
    script: `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"name":"fd3","numbers":[1,2,3,4,5,6,7,8],"text":"${"x".repeat(100)}"}'`,
  },
};

async function echo(request: Request): Promise<Response> {
  return Response.json(await request.json());
}

/** For Deno.serve(), Bun.serve() and fd3's serve(). */
export function fetchHandler(request: Request): Response | Promise<Response> {
  const path = request.url.slice(request.url.indexOf("/", 8));
  if (path === "/json") return echo(request);
  return new Response(path === "/large" ? large : "Hello World");
}

/** For node:http. */
export function nodeListener(request: IncomingMessage, response: ServerResponse): void {
  if (request.url !== "/json") {
    const body = request.url === "/large" ? large : "Hello World";
    response.writeHead(200, { "content-type": "text/plain;charset=UTF-8", "content-length": body.length });
    return void response.end(body);
  }
  const chunks: Uint8Array[] = [];
  request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
    const body = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
}
