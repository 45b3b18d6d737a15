import type { FdStoreEntry, NotifyState } from "./types.ts";

/** PID 1 reads no more of a message, and drops what is longer (NOTIFY_BUFFER_MAX, which is PIPE_BUF). */
const maxMessageBytes = 4096;

/** A message as it is sent. */
export interface Wire {
  readonly lines: readonly string[];
  readonly fds: readonly number[];
}

const int32Max = 2 ** 31 - 1;
const uint64Max = 2n ** 64n - 1n;

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return typeof value === "bigint" ? `${value}n` : String(value);
}

function wrong(field: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`Cannot notify the service manager: ${field} is ${shown(value)}, not ${allowed}`);
}

/** A newline would add a field to the message, a NUL would make the service manager drop it. */
function line(field: string, value: unknown): string {
  if (typeof value !== "string") throw wrong(field, value, "a string");
  if (/[\n\0]/.test(value)) throw wrong(field, value, "one line without NUL");
  return value;
}

function integer(field: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number") throw wrong(field, value, "a number");
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const allowed = `an integer from ${min} to ${max}`;
  throw new RangeError(`Cannot notify the service manager: ${field} is ${value}, not ${allowed}`);
}

function uint64(field: string, value: unknown): bigint {
  if (typeof value !== "bigint") throw wrong(field, value, "a bigint");
  if (value >= 0n && value < uint64Max) return value;
  throw new RangeError(`Cannot notify the service manager: ${field} is ${value}n, not from 0n to 2n ** 64n - 2n`);
}

/** Milliseconds as microseconds, rounded up: a shorter time than asked for could be missed. */
function microseconds(field: string, value: unknown, min: number): bigint {
  if (typeof value !== "number") throw wrong(field, value, "a number");
  // Above, a double does not hold each microsecond.
  const max = Number.MAX_SAFE_INTEGER / 1000;
  if (value >= min && value <= max) return BigInt(Math.ceil(value * 1000));
  throw new RangeError(`Cannot notify the service manager: ${field} is ${value}, not from ${min} to ${max} ms`);
}

function oneOf(field: string, value: unknown, allowed: readonly string[]): string {
  if (allowed.includes(value as string)) return value as string;
  throw wrong(field, value, `one of ${allowed.map((word) => JSON.stringify(word)).join(", ")}`);
}

function isTrue(field: string, value: unknown): true {
  if (value === true) return value;
  throw wrong(field, value, "true");
}

function errno(value: unknown): string | number {
  if (typeof value !== "string") return integer("errno", value, 1, 4095);
  if (/^E[A-Z0-9]+$/.test(value)) return value;
  throw wrong("errno", value, 'a number or a name such as "ENOENT"');
}

/** Whether PID 1 takes it for a descriptor's name (fdname_is_valid()). */
export function isFdName(name: string): boolean {
  return /^[ -9;-~]{0,255}$/.test(name);
}

function fdName(field: string, value: unknown): string {
  if (typeof value !== "string") throw wrong(field, value, "a string");
  if (isFdName(value)) return value;
  throw wrong(field, value, "at most 255 printable ASCII characters without a colon");
}

/**
 * A name that comes back as it is: PID 1 takes a backslash, too, but sd_listen_fds_with_names(3) reads it as an escape, and one at the
 * end would make the next start's LISTEN_FDNAMES malformed.
 */
function newFdName(field: string, value: unknown): string {
  const name = fdName(field, value);
  if (!name.includes("\\")) return name;
  throw wrong(field, value, "a name that comes back as it is: without a backslash");
}

function fdList(value: unknown): number[] {
  const fds = Array.isArray(value) ? value : [value];
  if (fds.length === 0) throw wrong("fdStore.fds", fds, "at least one descriptor");
  return fds.map((fd) => integer("fdStore.fds", fd, 0, int32Max));
}

function fdStore(value: unknown): Wire {
  if (typeof value !== "object" || value === null) throw wrong("fdStore", value, "{ name, fds, poll }");
  const { name, fds, poll = true } = value as FdStoreEntry;
  if (typeof poll !== "boolean") throw wrong("fdStore.poll", poll, "true or false");
  const lines = ["FDSTORE=1", `FDNAME=${newFdName("fdStore.name", name)}`, ...(poll ? [] : ["FDPOLL=0"])];
  return { lines, fds: fdList(fds) };
}

const text = (...lines: string[]): Wire => ({ lines, fds: [] });

/** All fields that there are but for the extensions, in the order in which they are sent. */
const fields: Readonly<Record<string, (value: unknown) => Wire>> = {
  ready: (value) => text(`READY=${Number(isTrue("ready", value))}`),
  reloading: (value) => text(`RELOADING=${Number(isTrue("reloading", value))}`),
  monotonicUsec: (value) => text(`MONOTONIC_USEC=${uint64("monotonicUsec", value)}`),
  stopping: (value) => text(`STOPPING=${Number(isTrue("stopping", value))}`),
  status: (value) => text(`STATUS=${line("status", value)}`),
  errno: (value) => text(`ERRNO=${errno(value)}`),
  busError: (value) => text(`BUSERROR=${line("busError", value)}`),
  varlinkError: (value) => text(`VARLINKERROR=${line("varlinkError", value)}`),
  exitStatus: (value) => text(`EXIT_STATUS=${integer("exitStatus", value, 0, 255)}`),
  mainPid: (value) => text(`MAINPID=${integer("mainPid", value, 1, int32Max)}`),
  mainPidFd: (value) => ({ lines: ["MAINPIDFD=1"], fds: [integer("mainPidFd", value, 0, int32Max)] }),
  mainPidFdId: (value) => text(`MAINPIDFDID=${uint64("mainPidFdId", value)}`),
  notifyAccess: (value) => text(`NOTIFYACCESS=${oneOf("notifyAccess", value, ["none", "main", "exec", "all"])}`),
  extendTimeoutMs: (value) => text(`EXTEND_TIMEOUT_USEC=${microseconds("extendTimeoutMs", value, 0.001)}`),
  watchdog: (value) => text(`WATCHDOG=${oneOf("watchdog", value, ["ping", "trigger"]) === "ping" ? "1" : "trigger"}`),
  restartReset: (value) => text(`RESTART_RESET=${Number(isTrue("restartReset", value))}`),
  watchdogMs: (value) => text(`WATCHDOG_USEC=${microseconds("watchdogMs", value, 0)}`),
  fdStore,
  fdStoreRemove: (value) => text("FDSTOREREMOVE=1", `FDNAME=${fdName("fdStoreRemove", value)}`),
};

/** What the service manager would read otherwise than it is meant, if it were in one message. */
const exclusive: readonly (readonly [string, string])[] = [
  ["stopping", "ready"],
  ["stopping", "reloading"],
  ["fdStore", "fdStoreRemove"],
  ["fdStore", "mainPidFd"],
];

/**
 * What a state is on the wire.
 *
 * @throws {TypeError} If a field is unknown or not of its kind, or two exclude each other.
 * @throws {RangeError} If a number is out of range.
 * @param state What the caller gave.
 */
export function encodeState(state: NotifyState): Wire {
  if (typeof state !== "object" || state === null || Array.isArray(state)) throw wrong("the state", state, "an object");
  const given = Object.entries(state).filter(([, value]) => value !== undefined);
  const names = new Set(given.map(([name]) => name));
  for (const name of names) {
    if (Object.hasOwn(fields, name) || /^X_[A-Z0-9_]+$/.test(name)) continue;
    const allowed = `one of ${Object.keys(fields).join(", ")} or X_…`;
    throw new TypeError(`Cannot notify the service manager: there is no field ${shown(name)}, but ${allowed}`);
  }
  for (const [one, other] of exclusive) {
    if (!names.has(one) || !names.has(other)) continue;
    throw new TypeError(`Cannot notify the service manager: ${one} and ${other} are in one message`);
  }
  const order = [...Object.keys(fields), ...names].filter((name) => names.has(name));
  const values = Object.fromEntries(given);
  const wires = [...new Set(order)].map((name) =>
    Object.hasOwn(fields, name) ? fields[name](values[name]) : text(`${name}=${line(name, values[name])}`)
  );
  return { lines: wires.flatMap(({ lines }) => lines), fds: wires.flatMap(({ fds }) => fds) };
}

const encoder = new TextEncoder();

/**
 * The bytes of a message.
 *
 * @throws {RangeError} If there are more than the service manager reads.
 * @param lines Its lines, without newlines.
 */
export function encodeMessage(lines: readonly string[]): Uint8Array {
  const bytes = encoder.encode(lines.join("\n"));
  if (bytes.length <= maxMessageBytes) return bytes;
  const found = `the message has ${bytes.length} bytes, more than ${maxMessageBytes}`;
  throw new RangeError(`Cannot notify the service manager: ${found}`);
}
