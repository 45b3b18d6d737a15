import process from "node:process";
import { activate } from "./activator.ts";
import { Client } from "./client.ts";
import { type HeldSocket, holdSocket } from "./held_socket.ts";
import { runtimeText } from "./host.ts";
import { say } from "./say.ts";

function introduce({ path }: HeldSocket): void {
  say(`The activator runs on ${runtimeText()} and holds the socket ${path}`);
  say("foobard is not running yet: the first line that you type starts it, and it sends back each line.");
  say(`To connect from elsewhere: socat - UNIX-CONNECT:${path}`);
  say("To end: Ctrl-D");
}

/** A client between the terminal and foobard, until the input ends. It connects when there is something to say. */
async function carryInput(path: string, stop: AbortSignal): Promise<void> {
  const client = new Client(path, stop);
  for await (const chunk of process.stdin) await client.send(chunk);
  await client.finish();
}

/** A signal that aborts when we are told to end; from then on it is us who end the process. */
function endSignal(): AbortController {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => controller.abort());
  // Nobody reads the lines any more. The one who writes them is told as well, so nothing is left to do here.
  process.stdout.on("error", () => controller.abort());
  return controller;
}

/**
 * Holds the socket, starts foobard when somebody connects, and carries the lines until the input ends. Nothing is left behind.
 *
 * @returns The status to exit with.
 */
export async function walkThrough(): Promise<number> {
  const end = endSignal();
  let status = 0;
  const fail = (error: unknown) => {
    // What fails after the end was asked for is its consequence.
    if (!end.signal.aborted) status = 1;
    if (!end.signal.aborted) say((error as Error).message);
  };
  try {
    const socket = holdSocket();
    introduce(socket);
    const activation = activate(socket, end.signal);
    await Promise.race([activation, carryInput(socket.path, end.signal)]).catch(fail);
    end.abort();
    await activation.catch(() => {});
    socket.release();
  } catch (error) {
    fail(error);
  }
  return status;
}
