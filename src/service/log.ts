import type { ServiceHost } from "./host.ts";
import type { LogPriority } from "./types.ts";

/** In the order of their numbers, `emerg` 0 to `debug` 7: see syslog(3). */
const priorities: readonly LogPriority[] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/** Whether stderr is the journal's, for each runtime that was asked. */
const known = new WeakMap<ServiceHost, boolean>();

/**
 * Whether stderr is the stream that systemd connected to the journal: JOURNAL_STREAM is its device and inode (systemd.exec(5)). The
 * variable alone says nothing, since a shell or a supervisor may have put stderr elsewhere.
 */
function isJournal(host: ServiceHost): boolean {
  let found = known.get(host);
  if (found === undefined) {
    found = ask(host);
    known.set(host, found);
  }
  return found;
}

function ask(host: ServiceHost): boolean {
  try {
    const stream = host.env("JOURNAL_STREAM");
    return stream !== undefined && stream === host.stderrId();
  } catch {
    // A log line is no place for an error about permissions.
    return false;
  }
}

/**
 * The longest line that the journal takes as one: LineMax= of journald.conf(5) is 48K, prefix and newline included. It would take the
 * rest of a longer one for a line without a prefix.
 */
const lineBytes = 48 * 1024;

const encoder = new TextEncoder();

/** A line in pieces that the journal takes as one each; no character is cut. */
function pieces(prefix: string, line: string): string[] {
  const room = lineBytes - prefix.length - 1;
  // No character of UTF-16 has more than three bytes.
  if (line.length * 3 <= room) return [line];
  const found: string[] = [];
  const buffer = new Uint8Array(room);
  for (let rest = line; found.length === 0 || rest !== "";) {
    const { read } = encoder.encodeInto(rest, buffer);
    found.push(rest.slice(0, read));
    rest = rest.slice(read);
  }
  return found;
}

/**
 * A message as it is written.
 *
 * @param prefix `<3>`, or nothing where nobody reads prefixes: then no line is cut.
 * @param message One line or more; a newline at its end is no line of its own.
 */
export function logText(prefix: string, message: string): string {
  const lines = message.replace(/\n$/, "").split("\n");
  const all = prefix === "" ? lines : lines.flatMap((line) => pieces(prefix, line));
  return all.map((line) => `${prefix}${line}\n`).join("");
}

/** See {@linkcode ServiceApi.log}. */
export function log(host: ServiceHost, priority: LogPriority, message: string): void {
  const number = priorities.indexOf(priority);
  if (number < 0) {
    throw new TypeError(`Cannot log: the priority is ${String(priority)}, not one of ${priorities.join(", ")}`);
  }
  host.writeStderr(logText(isJournal(host) ? `<${number}>` : "", String(message)));
}

// On globalThis, not in this module: two copies of the package may meet, and `bun --hot` evaluates a module twice.
const key: unique symbol = Symbol.for("fd3.warned");

/** Logs a warning, the first time in this process. */
export function warnOnce(host: ServiceHost, warning: string): void {
  const holder = globalThis as { [key]?: Set<string> };
  const warned = holder[key] ??= new Set();
  if (warned.has(warning)) return;
  warned.add(warning);
  log(host, "warning", `fd3: ${warning}`);
}
