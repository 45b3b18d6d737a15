// From the start of a program to its first answer, with a client that was there before.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { basename } from "node:path";
import process from "node:process";
import { transform } from "esbuild";
import { median } from "./client.ts";
import { activate, benchFolder, holdSocket, root, runtimes } from "./servers.ts";
import type { Row } from "./table.ts";

const rounds = 24;
const byHand = `${root}test/bench/by_hand`;

interface Program {
  readonly runtime: string;
  readonly name: string;
  readonly command: readonly string[];
}

async function milliseconds({ command }: Program): Promise<number> {
  const held = holdSocket();
  const client = connect(held.path);
  client.write("x");
  await once(client, "connect");
  const begin = performance.now();
  const child = activate(command, held.fd);
  held.close();
  await once(client, "data");
  const took = performance.now() - begin;
  client.destroy();
  child.kill("SIGKILL");
  await once(child, "close");
  return took;
}

/** The package, and daemons that use it, as somebody has them who installed it. */
async function install(): Promise<string> {
  const app = `${benchFolder}/app`;
  const installed = `${app}/node_modules/fd3`;
  mkdirSync(installed, { recursive: true });
  if (spawnSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: "inherit" }).status !== 0) {
    throw new Error("npm run build failed");
  }
  cpSync(`${root}dist`, `${installed}/dist`, { recursive: true });
  copyFileSync(`${root}package.json`, `${installed}/package.json`);
  writeFileSync(`${app}/package.json`, JSON.stringify({ type: "module", dependencies: { fd3: "*" } }));
  for (
    const source of ["examples/foobard.ts", "test/bench/servers/echo_listen.ts", "test/bench/servers/echo_daemon.ts"]
  ) {
    const text = readFileSync(`${root}${source}`, "utf8").replace(/"(\.\.\/)+mod\.ts"/, '"fd3"');
    const { code } = await transform(text, { loader: "ts", target: "es2022" });
    writeFileSync(`${app}/${basename(source, ".ts")}.js`, code);
  }
  for (const file of ["deno.js", "bun.js", "node.js"]) copyFileSync(`${byHand}/${file}`, `${app}/${file}`);
  return app;
}

/** The daemons in C and Go, where their compilers and libraries are. */
function compiled(): Program[] {
  const go = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: `${benchFolder}/go` };
  const compilers: Record<string, readonly string[]> = {
    C: ["cc", "-O2", "-o", `${benchFolder}/echo_c`, `${byHand}/echo.c`, "-lsystemd"],
    Go: ["go", "build", "-o", `${benchFolder}/echo_go`, `${byHand}/echo.go`],
  };
  return Object.entries(compilers).flatMap(([runtime, [file, ...args]]) => {
    const { status, error, stderr } = spawnSync(file, args, { env: { ...process.env, ...go }, encoding: "utf8" });
    if (status === 0) return [{ runtime, name: "by hand", command: [`${benchFolder}/echo_${runtime.toLowerCase()}`] }];
    console.error(`skipping ${runtime}: ${error?.message ?? stderr}`);
    return [];
  });
}

/** Each program gets a turn in each round; the figures are medians, of times and of ratios to the runtime's program by hand. */
export async function coldStart(): Promise<Row[]> {
  const app = await install();
  const programs = Object.entries(runtimes).flatMap(([runtime, command]): Program[] => {
    const program = (name: string, file: string) => ({ runtime, name, command: [...command, `${app}/${file}`] });
    const own = program("by hand", `${runtime.toLowerCase()}.js`);
    const node = runtime === "Node" ? [] : [program("by hand with node:net", "node.js")];
    const fd3 = [
      program("fd3: foobard", "foobard.js"),
      program("fd3: `listen()` alone", "echo_listen.js"),
      program("fd3: `listen()` in `daemon()`", "echo_daemon.js"),
    ];
    return [own, ...fd3, ...node];
  });
  programs.push(...compiled());
  const times = programs.map((): number[] => []);
  for (let round = -2; round < rounds; round++) {
    for (let turn = 0; turn < programs.length; turn++) {
      const i = round % 2 === 0 ? turn : programs.length - 1 - turn;
      const time = await milliseconds(programs[i]);
      // The first two fill the caches.
      if (round >= 0) times[i].push(time);
    }
  }
  return programs.map(({ runtime, name }, i) => {
    const base = programs.findIndex((program) => program.runtime === runtime);
    const ratio = median(times[i].map((time, round) => time / times[base][round]));
    return { runtime, name, figures: [ratio.toFixed(2), median(times[i]).toFixed(1)] };
  });
}
