// What the install scripts of `deno` and `bun` are for, after `npm ci --ignore-scripts`: each puts the program for this machine, which is a
// package of its own and which npm has checked, in the place of its wrapper. No other package's script does anything that is needed.
import { linkSync, rmSync, symlinkSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));
const cpu = process.arch === "arm64" ? { deno: "arm64", bun: "aarch64" } : { deno: "x64", bun: "x64" };

const links: readonly [program: string, place: string][] = [
  [`@deno/linux-${cpu.deno}-glibc/deno`, "deno/deno"],
  [`@oven/bun-linux-${cpu.bun}/bin/bun`, "bun/bin/bun.exe"],
  [`@oven/bun-linux-${cpu.bun}/bin/bun`, "bun/bin/bunx.exe"],
];
for (const [program, place] of links) {
  rmSync(`${modules}${place}`, { force: true });
  linkSync(`${modules}${program}`, `${modules}${place}`);
}
// npm's points to a wrapper, which would start Node first.
rmSync(`${modules}.bin/deno`, { force: true });
symlinkSync("../deno/deno", `${modules}.bin/deno`);
