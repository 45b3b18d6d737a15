/** `Atomics.waitAsync()`, as ES2024 has it. */
interface Waiting {
  waitAsync(cells: Int32Array, index: number, value: number, ms: number): { readonly value: Promise<unknown> };
}

/**
 * A timer that does not keep the process alive. The first `setTimeout()` of a process takes Deno 2.9 5 to 10 ms, at a time when clients
 * wait; this takes 0.1.
 */
export function backgroundTimer(ms: number, callback: () => void): () => void {
  const cells = new Int32Array(new SharedArrayBuffer(4));
  let isCancelled = false;
  const { value } = (Atomics as unknown as Waiting).waitAsync(cells, 0, 0, ms);
  void value.then(() => isCancelled || callback());
  return () => {
    isCancelled = true;
    Atomics.notify(cells, 0);
  };
}
