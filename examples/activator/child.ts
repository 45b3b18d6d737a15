import { spawn, type StdioOptions } from "node:child_process";

/** How long a child may take to end after SIGTERM. foobard gives its connections 5 s. */
const patienceMs = 10_000;

/** How a child ended. */
export interface Exit {
  /** Its status, or `null` if a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** "with status 1", "by SIGKILL" */
export function exitText({ code, signal }: Exit): string {
  return signal === null ? `with status ${code}` : `by ${signal}`;
}

/** What a child gets. */
export interface ChildOptions {
  /** From the fourth on: descriptors that it inherits, under the number of their place. */
  readonly stdio: StdioOptions;
  readonly env?: Record<string, string | undefined>;
  /** Ends it with SIGTERM, and with SIGKILL if that does not help. */
  readonly stop: AbortSignal;
  /** It runs. */
  readonly onStart?: (pid: number) => void;
}

/** Runs a child to its end. */
export function runChild([file, ...args]: string[], { stdio, env, stop, onStart }: ChildOptions): Promise<Exit> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio, env: env as NodeJS.ProcessEnv | undefined });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = () => {
      child.kill("SIGTERM");
      timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    };
    const settle = () => {
      stop.removeEventListener("abort", end);
      clearTimeout(timer);
    };
    child.once("error", (error) => (settle(), reject(error)));
    child.once("exit", (code, signal) => (settle(), resolve({ code, signal })));
    if (child.pid !== undefined) onStart?.(child.pid);
    if (stop.aborted) end();
    else stop.addEventListener("abort", end, { once: true });
  });
}
