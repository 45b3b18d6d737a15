// A chat: one room, in which all that are connected hear each other. A restart takes their connections for a moment: the page comes back.
//
//   chat.ts [ADDRESS]      default 127.0.0.1:8082
//
//   /                 the page
//   /chat?name=NAME   its WebSocket
//
// IDLE_TIMEOUT is in milliseconds: after so long without a visitor it goes, and the next one starts it again.
import { args, daemon, type WebSocketHandlers, type WebSocketPeer } from "../mod.ts";
import { page } from "./chat/page.ts";
import { env } from "./daemon/host.ts";

const room = "room";
const longestName = 20;
const longestText = 1000;
let visitors = 0;

function nameOf(peer: WebSocketPeer): string {
  return String(peer.context.name);
}

/** What one says or does, for all: for the one that it is about, too. */
function tell(peer: WebSocketPeer, line: string): void {
  peer.send(line);
  peer.publish(room, line);
}

/** A page of another site has no business here, whoever looks at it. A program sends no origin. */
function isForeign({ headers }: Request): boolean {
  const origin = headers.get("origin");
  return origin !== null && origin.replace(/^https?:\/\//, "") !== headers.get("host");
}

const idleTimeout = env("IDLE_TIMEOUT");

await daemon(async (context) => {
  const count = (change: number) => context.status(`${visitors += change} in the room`);
  const websocket: WebSocketHandlers = {
    open(peer) {
      count(1);
      peer.subscribe(room);
      tell(peer, `${nameOf(peer)} comes in.`);
    },
    message(peer, message) {
      const text = message.text().trim();
      if (text.length > longestText) return peer.close(1009, `at most ${longestText} characters`);
      if (text !== "") tell(peer, `${nameOf(peer)}: ${text}`);
    },
    close(peer) {
      count(-1);
      peer.publish(room, `${nameOf(peer)} leaves.`);
    },
  };
  await context.serve((request, info) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/") return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
    if (pathname !== "/chat") return new Response("Not Found\n", { status: 404 });
    if (isForeign(request)) return new Response("Forbidden\n", { status: 403 });
    const name = searchParams.get("name")?.trim().slice(0, longestName) || "somebody";
    return info.upgrade({ context: { name } });
  }, { fallback: args()[0] ?? "127.0.0.1:8082", websocket });
  count(0);
}, { idleTimeout: idleTimeout === undefined ? undefined : Number(idleTimeout) });
