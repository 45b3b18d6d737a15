/**
 * The signal behind `terminated()`, one for the process.
 *
 * @param watch Starts watching for SIGTERM and SIGINT, on the first call.
 */
export function terminatedBy(watch: (abort: () => void) => void): () => AbortSignal {
  let signal: AbortSignal | undefined;
  return () => {
    if (signal === undefined) {
      const controller = new AbortController();
      signal = controller.signal;
      watch(() => controller.abort());
    }
    return signal;
  };
}
