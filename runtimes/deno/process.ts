import { Fd3Error } from "../../src/errors.ts";
import { lazy } from "../../src/lazy.ts";
import { openDenoLibc } from "./libc.ts";
import { deno } from "./types.ts";

/** What is read together, to be allowed at once. */
const variables: readonly string[] = [
  "LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES",
  "NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID",
];

/** An environment variable, or the permission that is missing. */
export function env(name: string): string | undefined {
  try {
    return deno().env.get(name);
  } catch (cause) {
    const together = variables.find((names) => names.split(",").includes(name)) ?? name;
    throw new Fd3Error("EACCES", `Cannot read ${name}: Deno needs --allow-env=${together}`, { cause });
  }
}

/** libc, opened on the first call. */
export const libc: ReturnType<typeof lazy<ReturnType<typeof openDenoLibc>>> = lazy(openDenoLibc);
