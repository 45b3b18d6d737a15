/**
 * A value that is made when it is first asked for, so that nothing is touched while a module loads.
 *
 * @param make Makes it.
 */
export function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
