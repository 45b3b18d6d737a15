/** An abstract name as the runtimes take it: with a NUL for its `@`. */
export function runtimePath(path: string): string {
  return path.startsWith("@") ? `\0${path.slice(1)}` : path;
}
