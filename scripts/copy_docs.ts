// Copies what the interfaces say of each function to the constants that people import: `node scripts/copy_docs.ts [--check]`.
// An editor that hovers over `listen` shows the comment of the constant, and so does the page of the package; none of them follows a link to
// the interface (TypeScript 5.9 and 7.0, deno doc 2.9). The comments of the interfaces are the ones to edit.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where each interface is. */
const sources: Readonly<Record<string, string>> = {
  Api: "src/api.ts",
  DaemonApi: "src/daemon/types.ts",
  NotifyApi: "src/notify/types.ts",
  ServiceApi: "src/service/types.ts",
};

const entryPoints = ["mod.ts", "runtimes/deno.ts", "runtimes/bun.ts", "runtimes/node.ts"];

/** A comment, as one of its lines follows the other. */
const comment = String.raw`\/\*\*(?:(?!\*\/)[^])*\*\/`;

/** The comment of each function of an interface, without its indentation. */
function commentsOf(name: string): Map<string, string> {
  const text = readFileSync(`${root}${sources[name]}`, "utf8");
  const [, body] = new RegExp(`^export interface ${name} \\{\\n([^]*?)^\\}`, "m").exec(text) ?? [];
  if (body === undefined) throw new Error(`${sources[name]}: found no interface ${name}`);
  const members = body.matchAll(new RegExp(`^  (${comment})\\n  (\\w+)\\(`, "gm"));
  return new Map([...members].map(([, found, member]) => [member, found.replace(/^ {2}/gm, "")]));
}

/** Of all functions: no two have the same name. */
const comments = new Map(Object.keys(sources).flatMap((name) => [...commentsOf(name)]));

/** An entry point with the comments that its constants must have. */
function withComments(text: string): string {
  return text.replace(new RegExp(`(?:^${comment}\\n)?^export const (\\w+):`, "gm"), (_, name: string) => {
    const found = comments.get(name);
    if (found === undefined) throw new Error(`no interface has a comment for ${name}`);
    return `${found}\nexport const ${name}:`;
  });
}

for (const file of entryPoints) {
  const text = readFileSync(`${root}${file}`, "utf8");
  const expected = withComments(text);
  if (text === expected) continue;
  if (!process.argv.includes("--check")) {
    writeFileSync(`${root}${file}`, expected);
    continue;
  }
  console.error(`${file}: the comments are not those of the interfaces: node --import tsx scripts/copy_docs.ts`);
  process.exitCode = 1;
}
