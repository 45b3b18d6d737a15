// One line for each check, and what they add up to.
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** A program of the development dependencies. */
export const program = (name: string): string => `${root}node_modules/.bin/${name}`;

let passed = 0;
let failed = 0;

/** Runs a check and prints how it went. It has failed if it throws; the checks behind it run all the same. */
export async function check(name: string, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
    passed++;
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n${(error as Error).message.trim().replace(/^/gm, "  ")}`);
  }
}

/** Prints the sum, and sets the exit status. */
export function finish(): void {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Runs a program to its end and gives its stdout; an exit status other than 0 is an error with all that it wrote. */
export function run(command: readonly string[], cwd: string = root): Promise<string> {
  const [file, ...args] = command;
  const env = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" } as NodeJS.ProcessEnv;
  delete env.FORCE_COLOR;
  // `npm run` sets these for this project; a package manager or a runtime in another folder must not go by them.
  for (const name of Object.keys(env)) if (/^npm_(package|lifecycle|config_local_prefix)/.test(name)) delete env[name];
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: 120_000 });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => stdout += text);
    child.stderr.setEncoding("utf8").on("data", (text) => stderr += text);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command.join(" ")}: ${signal ?? `exit status ${code}`}\n${stdout}${stderr}`));
    });
  });
}
