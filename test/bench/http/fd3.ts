// fd3 on an inherited socket: `fd3.ts WAY`, a name of serve()'s engines or `attach`. It prints a line once it listens.
import { createServer } from "node:http";
import process from "node:process";
import { attach, serve } from "../../../mod.ts";
import type { EngineName } from "../../../src/http/types.ts";
import { fetchHandler, nodeListener } from "./handlers.ts";

const [, , way] = process.argv;
if (way === "attach") await attach(createServer(nodeListener));
// wrk leaves amid its last requests.
else await serve(fetchHandler, { engine: way as EngineName, onError: () => new Response(null, { status: 500 }) });
console.log("listening");
