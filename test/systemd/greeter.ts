/** The example daemon in a lab, with its greeting in a file. */

import { property, setUp, type Stage } from "./variants.ts";

export const unit = "daemon.service";
const folder = "/etc/daemon";
/** GREETING_FILE. */
export const file: string = `${folder}/greeting`;

/** A property of the service. */
export function show(stage: Stage, name: string): Promise<string> {
  return property(stage, unit, name);
}

/** On a Unix socket, which the driver reaches, and with a greeting. */
export async function prepare(stage: Stage, service: readonly string[] = [], greeting = "Hello"): Promise<void> {
  await stage.lab.must(["systemctl", "stop", "daemon.socket", unit], { timeoutMs: 60_000 });
  await greet(stage, greeting);
  await setUp(stage, {
    socket: ["ListenStream=", "ListenStream=/run/daemon.sk"],
    service: [`Environment=GREETING_FILE=${file}`, "RestartSec=0", ...service],
  });
}

/** Starts it, and returns when it is ready: it answers before, and then it can be neither reloaded nor watched. */
export async function start({ lab }: Stage): Promise<void> {
  await lab.must(["systemctl", "start", unit], { timeoutMs: 60_000 });
}

/** Writes the greeting, in a file of two lines. */
export async function greet({ lab }: Stage, greeting: string): Promise<void> {
  const script = 'umask 022; mkdir -p "$0"; rm -f "$0/greeting"; printf "%s\\nsecond line\\n" "$1" >"$0/greeting"';
  await lab.must(["sh", "-c", script, folder, greeting]);
}
