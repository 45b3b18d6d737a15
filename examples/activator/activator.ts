import process from "node:process";
import { type Exit, exitText, runChild } from "./child.ts";
import { commandFor } from "./command.ts";
import type { HeldSocket } from "./held_socket.ts";
import { say } from "./say.ts";

/** As systemd's StartLimitBurst= and StartLimitIntervalSec=: a service that keeps dying is not started forever. */
const startLimit = { burst: 5, intervalMs: 10_000 };

const waitCommand = commandFor(new URL("wait.ts", import.meta.url), ["--allow-ffi"]);

const serviceCommand = commandFor(new URL("../foobard.ts", import.meta.url), [
  "--allow-env=LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES",
  "--allow-ffi",
  "--allow-net",
]);

/** LISTEN_PID must be known before the program runs, and only the process itself knows it: so a shell sets it and becomes foobard. */
const withListenPid = ["/bin/sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh"];

/** Settles when a client waits, or when we shall stop. */
async function connectionWaits(socket: HeldSocket, stop: AbortSignal): Promise<void> {
  let exit: Exit;
  // Who ends it by a signal does not know that anybody waits.
  do {
    exit = await runChild(waitCommand, { stdio: ["pipe", "ignore", "inherit", socket.fd], stop });
  } while (exit.signal !== null && !stop.aborted);
  if (exit.code !== 0 && !stop.aborted) throw new Error(`Cannot wait for a connection: it ended ${exitText(exit)}`);
}

/** Runs foobard to its end. */
async function serve(socket: HeldSocket, stop: AbortSignal): Promise<void> {
  const env: Record<string, string | undefined> = {
    ...process.env,
    LISTEN_FDS: "1",
    LISTEN_FDNAMES: "foobar.socket",
  };
  // One that we were given ourselves would not be foobard's.
  delete env.LISTEN_PIDFDID;
  const exit = await runChild([...withListenPid, ...serviceCommand], {
    // Standard output is for the lines alone.
    stdio: ["ignore", "ignore", "inherit", socket.fd],
    env,
    stop,
    onStart: (pid) =>
      say(
        `A client waits: foobard starts as PID ${pid}, with LISTEN_PID=${pid} LISTEN_FDS=1 LISTEN_FDNAMES=foobar.socket`,
      ),
  });
  if (stop.aborted) return;
  if (exit.code !== null && exit.code !== 0) throw new Error(`foobard ended ${exitText(exit)}.`);
  say(`foobard ended ${exitText(exit)}. The next connection starts it again.`);
}

/**
 * What systemd does for a .socket unit: each time somebody connects while foobard is not running, it is started and given the
 * socket. Never accepts a connection itself.
 *
 * @throws {Error} If foobard fails or ends too often.
 * @param socket The socket.
 * @param stop Ends foobard too. The promise settles when it is gone.
 */
export async function activate(socket: HeldSocket, stop: AbortSignal): Promise<void> {
  const starts: number[] = [];
  while (!stop.aborted) {
    await connectionWaits(socket, stop);
    if (stop.aborted) return;
    const earlier = starts.at(-startLimit.burst);
    if (earlier !== undefined && performance.now() - earlier < startLimit.intervalMs) {
      throw new Error("foobard ends too often: it is not started again.");
    }
    starts.push(performance.now());
    await serve(socket, stop);
  }
}
