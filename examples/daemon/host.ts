// What the example asks of a runtime besides fd3. On Deno the global `process` and node:fs would double the time to start.

interface DenoFiles {
  readonly env: { get(name: string): string | undefined };
  readTextFileSync(path: string): string;
  statSync(path: string): unknown;
}

interface NodeFiles {
  readFileSync(path: string, encoding: "utf8"): string;
  statSync(path: string): unknown;
}

interface Process {
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule(id: "node:fs"): NodeFiles;
}

const runtime = globalThis as unknown as { readonly Deno?: DenoFiles; readonly process: Process };

/** An environment variable. */
export function env(name: string): string | undefined {
  return runtime.Deno === undefined ? runtime.process.env[name] : runtime.Deno.env.get(name);
}

/** The first line of a file, without blanks around it. */
export function firstLine(path: string): string {
  const text = runtime.Deno === undefined
    ? runtime.process.getBuiltinModule("node:fs").readFileSync(path, "utf8")
    : runtime.Deno.readTextFileSync(path);
  return text.split("\n", 1)[0].trim();
}

/** Whether there is something at a path. */
export function exists(path: string): boolean {
  try {
    (runtime.Deno ?? runtime.process.getBuiltinModule("node:fs")).statSync(path);
    return true;
  } catch {
    return false;
  }
}
