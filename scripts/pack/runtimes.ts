// The installed package under each runtime: every entry point imported and required, and a daemon that uses it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { transform } from "esbuild";
import { activate } from "../../test/fixtures/activate.ts";
import { echoes, open } from "../../test/fixtures/client.ts";
import { ask } from "../../test/fixtures/http_client.ts";
import { holdUnix } from "../../test/fixtures/sockets.ts";
import { WebSocketClient } from "../../test/fixtures/web_socket_client.ts";
import { check, program, root, run } from "./checks.ts";

interface Runtime {
  readonly name: string;
  /** What the exports map has for it. */
  readonly condition: "deno" | "bun" | "node";
  readonly command: readonly string[];
  /** The flags that a daemon needs. */
  readonly daemon: readonly string[];
  /** Whether koffi is its way to libc. */
  readonly koffi: boolean;
}

const denoFlags = ["--allow-env=LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES", "--allow-ffi", "--allow-net"];

function node(version: number): Runtime {
  const file = `${root}test/runtimes/node_modules/node${version}/bin/node`;
  const command = [file, "--disable-warning=ExperimentalWarning"];
  return { name: `Node ${version}`, condition: "node", command, daemon: command, koffi: version < 26 };
}

const deno: Runtime = {
  name: "Deno",
  condition: "deno",
  command: [program("deno"), "run", "-q", "-A"],
  daemon: [program("deno"), "run", "-q", ...denoFlags],
  koffi: false,
};
const bunCommand = [program("bun")];
const bun: Runtime = { name: "Bun", condition: "bun", command: bunCommand, daemon: bunCommand, koffi: false };

const runtimes: readonly Runtime[] = [deno, bun, node(20), node(22), node(24), node(26)];
const entryPoints = ["fd3", "fd3/deno", "fd3/bun", "fd3/node"];

const notifying = ["barrier", "capabilities", "dropFd", "notify", "removeFd", "storeFd", "watchdog"];
const service = ["booted", "credential", "directories", "log", "takeFd", "unclaimedFds"];
const common = [
  "Fd3Error",
  "args",
  "attach",
  "daemon",
  "exit",
  "listen",
  "listenFds",
  "serve",
  "terminated",
  ...notifying,
  ...service,
]
  .sort();
const names: Record<string, readonly string[]> = {
  // The file that the runtime's condition picks has more than the types of `fd3` tell.
  "deno.js": [...common, "listenNative", "serveNative"].sort(),
  "bun.js": [...common, "listenNative", "serveNative"].sort(),
  "node.js": common,
};

const importer = `const [, , id, file, names] = process.argv;
const resolved = import.meta.resolve(id);
if (!resolved.endsWith("/node_modules/fd3/dist/runtimes/" + file)) throw new Error(id + " is " + resolved);
const fd3 = await import(id);
if (String(Object.keys(fd3).sort()) !== names) throw new Error(id + " has " + Object.keys(fd3));
for (const other of ["fd3", "fd3/deno", "fd3/bun", "fd3/node"]) {
  if ((await import(other)).Fd3Error !== fd3.Fd3Error) throw new Error("not the Fd3Error of " + other);
}
`;

// require() of a module with a top-level await fails: this is the test that there is none.
const requirer = `const [, , id, names] = process.argv;
const fd3 = require(id);
const keys = Object.keys(fd3).filter((key) => key !== "__esModule" && key !== "module.exports");
if (String(keys.sort()) !== names) throw new Error(id + " has " + keys);
import(id).then((imported) => {
  if (imported.Fd3Error !== fd3.Fd3Error) throw new Error("import and require give two copies");
});
`;

// The chunks that bundlers and unknown runtimes get are loaded by no condition: by its path, then.
const fallback = `const fd3 = await import(new URL("./node_modules/fd3/dist/mod.js", import.meta.url).href);
if (String(Object.keys(fd3).sort()) !== process.argv[2]) throw new Error("it has " + Object.keys(fd3));
if ((await import("fd3")).listenFds !== fd3.listenFds) throw new Error("it picked another runtime");
`;

/**
 * @param app The folder with the installed package.
 */
export async function checkLoading(app: string): Promise<void> {
  writeFileSync(join(app, "import.mjs"), importer);
  writeFileSync(join(app, "require.cjs"), requirer);
  writeFileSync(join(app, "default.mjs"), fallback);
  for (const { name, condition, command } of runtimes) {
    for (const id of entryPoints) {
      const file = `${id === "fd3" ? condition : id.slice("fd3/".length)}.js`;
      await check(`${name}: import ${id}`, async () => {
        await run([...command, "import.mjs", id, file, names[file].join(",")], app);
      });
      // Deno's require() does not know the condition "deno" (2.9.6) and takes "node".
      const required = id === "fd3" && name === "Deno" ? "node.js" : file;
      await check(`${name}: require ${id}`, async () => {
        await run([...command, "require.cjs", id, names[required].join(",")], app);
      });
    }
    await check(`${name}: default condition`, async () => {
      await run([...command, "default.mjs", common.join(",")], app);
    });
  }
}

// Says on exit whether koffi was loaded, and from where.
const reporter = `import { createRequire } from "node:module";
const { cache } = createRequire(import.meta.url);
process.on("exit", () => {
  const loaded = Object.keys(cache).filter((file) => /node_modules.koffi./.test(file));
  process.stderr.write("koffi: " + (loaded[0] ?? "none") + "\\n");
});
`;

async function writeFoobard(app: string): Promise<void> {
  const source = readFileSync(`${root}examples/foobard.ts`, "utf8").replace('"../mod.ts"', '"fd3"');
  assert.match(source, /from "fd3";/);
  const { code } = await transform(source, { loader: "ts", target: "es2022" });
  writeFileSync(join(app, "foobard.mjs"), code);
  writeFileSync(join(app, "reporter.mjs"), reporter);
}

/** Passes fd 3, expects an echo and an end with status 0, and gives what foobard wrote on stderr. */
async function echo(app: string, { name, command }: { name: string; command: readonly string[] }): Promise<string> {
  using held = holdUnix(join(app, `${name.replaceAll(" ", "")}.sk`));
  const variant = { name, command, ffi: true };
  const script = relative(root, join(app, "foobard.mjs"));
  await using started = activate({ variant, script, fds: [held.fd] });
  const socket = await open(held.target);
  try {
    // An error of its own comes behind one that ends the daemon.
    socket.on("error", () => {});
    await echoes(socket, "hello from fd 3");
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${started.stderr()}`);
  } finally {
    socket.destroy();
  }
  assert.equal(await started.terminate(), 0, started.stderr());
  return started.stderr();
}

/**
 * @param app The folder with the installed package, and nothing else.
 */
export async function checkDaemon(app: string): Promise<void> {
  await writeFoobard(app);
  for (const { name, daemon } of runtimes) {
    await check(`${name}: foobard on an inherited fd 3`, async () => {
      assert.equal(await echo(app, { name, command: daemon }), "");
    });
  }
}

const served = `import { args, exit, serve, terminated } from "fd3";
const [engine] = args();
const server = await serve((request, info) => {
  return request.headers.has("upgrade") ? info.upgrade() : new Response("hello " + request.url);
}, { engine, signal: terminated(), websocket: { message: (peer, message) => peer.send(message.rawData) } });
console.log(server.engine);
await server.finished;
exit(0);
`;

/** Passes fd 3, expects an answer by HTTP and by a WebSocket from this engine, and an end with status 0. */
async function hello(app: string, runtime: Runtime, engine: string): Promise<void> {
  const { name, daemon, condition } = runtime;
  const needsEnv = condition === "deno" && engine === "node-http";
  const command = daemon.map((word) => needsEnv && word.startsWith("--allow-env") ? `${word},WS_NO_BUFFER_UTIL` : word);
  using held = holdUnix(join(app, `${name.replaceAll(" ", "")}-${engine}.sk`));
  const script = relative(root, join(app, "served.mjs"));
  await using started = activate({ variant: { name, command, ffi: true }, script, args: [engine], fds: [held.fd] });
  assert.equal(await started.line(), engine);
  const headers = { host: "a.example" };
  assert.equal(await ask(held.target, { path: "/there", headers }), "200 hello http://a.example/there");
  const client = await WebSocketClient.open(held.target, "/echo");
  await client.echoes("over the wire");
  await client.close(1000);
  assert.equal(await started.terminate(), 0, started.stderr());
}

/**
 * @param app The folder with the installed package, and what npm installs with it.
 */
export async function checkServing(app: string): Promise<void> {
  writeFileSync(join(app, "served.mjs"), served);
  for (const runtime of runtimes) {
    const own = { deno: ["deno-serve"], bun: ["bun-serve"], node: [] }[runtime.condition];
    for (const engine of [...own, "node-http"]) {
      await check(`${runtime.name}: serve() by ${engine} on an inherited fd 3`, () => hello(app, runtime, engine));
    }
  }
}

/**
 * @param app The folder with the installed package, and koffi as npm puts it there.
 */
export async function checkKoffi(app: string): Promise<void> {
  await writeFoobard(app);
  for (const { name, daemon, koffi } of runtimes.filter(({ condition }) => condition === "node")) {
    await check(`${name}: foobard ${koffi ? "with" : "does without"} the koffi that is there`, async () => {
      const command = [...daemon, "--import", join(app, "reporter.mjs")];
      const [, loaded] = /^koffi: (.*)$/m.exec(await echo(app, { name, command })) ?? [];
      if (koffi) assert.ok(loaded?.startsWith(join(app, "node_modules/koffi/")), loaded);
      else assert.equal(loaded, "none");
    });
  }
}
