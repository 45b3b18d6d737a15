// What knip must know of this project: `knip -c scripts/knip.ts` finds exports and dependencies that nothing uses.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function files(folder: string): string[] {
  const names = readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).map((name) =>
    `${folder}/${name}`
  );
  return names.filter((name) => name.endsWith(".ts") && !name.includes("node_modules"));
}

/** Programs that no file imports: tests and benches start them by their paths, from the root of the project. */
function started(): string[] {
  const all = ["examples", "test"].flatMap(files);
  const texts = all.map((file) => readFileSync(`${root}${file}`, "utf8"));
  return all.filter((file) => texts.some((text) => text.includes(file)));
}

export default {
  entry: [
    "mod.ts",
    "runtimes/*.ts",
    "examples/*.ts",
    "examples/frameworks/*.ts",
    "scripts/*.ts",
    "test/**/*_test.ts",
    "test/bench/http/own.ts",
    ...started(),
  ],
  project: ["**/*.ts"],
  // Programs that scripts and tests start.
  ignoreDependencies: ["@arethetypeswrong/cli", "bun", "publint"],
  // Those of the system are none of npm's.
  exclude: ["binaries"],
};
