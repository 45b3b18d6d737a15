import process from "node:process";

/** Tells the user something. Standard output is left to the lines that come back. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
