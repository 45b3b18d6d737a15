// The package's types as its users' compilers see them, without skipLibCheck.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, program, root, run } from "./checks.ts";

const esModule =
  `import { type Address, attach, Fd3Error, type HttpServer, listen, type Listener, type NetServer, type RunningServer, serve, type ServeHandler, type WebSocketHandlers } from "fd3";
import { listen as listenNode } from "fd3/node";
import { type DenoListener, listenNative as listenDeno } from "fd3/deno";
import { type BunListener, Fd3Error as BunError, listenNative as listenBun } from "fd3/bun";
// @ts-expect-error: what only one runtime has is not in the entry point for all.
import { listenNative } from "fd3";

export const listener: Promise<Listener> = listen({ fallback: "127.0.0.1:0" });
export const handler: ServeHandler = (request, info) => Response.json([request.url, info.remoteAddress]);
export const websocket: WebSocketHandlers = { message: (peer, message) => peer.send(message.uint8Array()) };
export const server: Promise<HttpServer> = serve(handler, { fallback: "127.0.0.1:0", websocket });
export const chat: ServeHandler = (request, info) => info.upgrade({ headers: { "x-url": request.url }, context: {} });
export const address: Promise<Address> = listener.then((it) => it.address);
export const node: Promise<Listener> = listenNode();
export const deno: Promise<DenoListener> = listenDeno();
export const bun: Promise<BunListener> = listenBun({ socket: {} });
export const attached = (server: NetServer): Promise<RunningServer> => attach(server);
export const error: Fd3Error = new BunError("EINVAL", "the same class");
// @ts-expect-error: a wrong option would pass if the types were not found.
listen({ fallbck: 1 });
`;

const commonJs = `import fd3 = require("fd3");
export const listener: Promise<fd3.Listener> = fd3.listen();
`;

interface Case {
  readonly name: string;
  readonly files: Record<string, string>;
  readonly options: Record<string, unknown>;
}

const nodenext = { module: "nodenext", moduleResolution: "nodenext" };
const bundler = { module: "preserve", moduleResolution: "bundler" };
const dom = ["esnext", "dom", "dom.iterable", "dom.asynciterable"];
const nodeFiles = { "user.mts": esModule, "user.cts": commonJs };
const cases: Case[] = [
  { name: "nodenext with @types/node", files: nodeFiles, options: { ...nodenext, lib: ["esnext"], types: ["node"] } },
  { name: "nodenext with lib.dom", files: nodeFiles, options: { ...nodenext, lib: dom, types: [] } },
  {
    name: "bundler with @types/bun",
    files: { "user.ts": esModule },
    options: { ...bundler, lib: ["esnext"], types: ["bun"] },
  },
  { name: "bundler with lib.dom", files: { "user.ts": esModule }, options: { ...bundler, lib: dom, types: [] } },
];

async function compile(app: string, { name, files, options }: Case): Promise<void> {
  const folder = join(app, name.replaceAll(/\W/g, "-"));
  mkdirSync(folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  const compilerOptions = {
    target: "esnext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: false,
    typeRoots: [`${root}node_modules/@types`],
    ...options,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  await run([program("tsc"), "-p", folder], app);
}

/**
 * @param app The folder with the installed package.
 */
export async function checkTypes(app: string): Promise<void> {
  for (const each of cases) await check(`types: tsc, ${each.name}`, () => compile(app, each));
  await check("types: deno check", async () => {
    writeFileSync(join(app, "user.mts"), esModule);
    await run([program("deno"), "check", "-q", "user.mts"], app);
  });
}
