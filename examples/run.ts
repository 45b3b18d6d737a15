// Runs one of the examples in this folder, or in frameworks/, by its name.
//
//   run.ts NAME [ARGUMENT…]
import { readdirSync } from "node:fs";
import process from "node:process";

const names = ["", "frameworks/"].flatMap((folder) =>
  readdirSync(new URL(`./${folder}`, import.meta.url))
    .filter((file) => file.endsWith(".ts") && file !== "run.ts")
    .map((file) => folder + file.slice(0, -".ts".length))
    .sort()
);

const name = process.argv[2];
if (names.includes(name)) {
  // The example finds its own arguments where it would without us.
  process.argv.splice(2, 1);
  if ("Deno" in globalThis) (globalThis as unknown as { Deno: { args: string[] } }).Deno.args.splice(0, 1);
  // Not as a template: Deno would read every program below this folder for it.
  await import(new URL(`${name}.ts`, import.meta.url).href);
} else {
  const problem = name === undefined ? "Name an example" : `There is no example ${JSON.stringify(name)}`;
  console.error(`${problem}: ${names.join(", ")}`);
  process.exit(1);
}
