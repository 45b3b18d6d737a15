// A web service with a whole life: it says when it is ready and how it is, proves that it is alive, reloads, and stops without dropping
// anybody, also when nobody has needed it for a while.
//
//   daemon.ts [ADDRESS]      default 127.0.0.1:8080
//
//   /              the greeting, and how many requests there were
//   /slow?ms=N     the same after N ms
//   /block?ms=N    the same after N ms in which nothing else happens: the watchdog's case
//
// GREETING_FILE is a file whose first line is the greeting; it is read again on SIGHUP. IDLE_TIMEOUT and DRAIN_TIMEOUT are in milliseconds.
import { args, daemon } from "../mod.ts";
import { env, exists, firstLine } from "./daemon/host.ts";

const file = env("GREETING_FILE");
let greeting = "Hello World";
let count = 0;

function readGreeting(): void {
  if (file === undefined) return;
  const line = firstLine(file);
  if (line === "") throw new Error(`Cannot greet: the first line of ${file} is empty`);
  greeting = line;
}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const ms = Number(searchParams.get("ms") ?? 0);
  if (pathname === "/slow") await new Promise((resolve) => setTimeout(resolve, ms));
  else if (pathname === "/block") block(ms);
  else if (pathname !== "/") return new Response("Not Found\n", { status: 404 });
  return new Response(`${greeting}\n${count}\n`, { headers: { "content-type": "text/plain; charset=utf-8" } });
}

function milliseconds(name: string): number | undefined {
  const text = env(name);
  return text === undefined ? undefined : Number(text);
}

await daemon(async (context) => {
  readGreeting();
  await context.serve((request) => {
    context.status(`${++count} requests`);
    return answer(request);
  }, { fallback: args()[0] ?? "127.0.0.1:8080" });
  context.status("0 requests");
}, {
  reload: readGreeting,
  idleTimeout: milliseconds("IDLE_TIMEOUT"),
  drainTimeout: milliseconds("DRAIN_TIMEOUT"),
  // A service without its configuration is not well: it could not start again.
  watchdog: { check: () => file === undefined || exists(file) },
});
