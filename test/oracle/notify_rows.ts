// Oracles N and W: what sd_notify(3) and sd_watchdog_enabled(3) answer. Two tests share each table: fd3's own, and the one that asks
// libsystemd whether the table is true.
import process from "node:process";
import type { Fd3ErrorCode } from "../../src/errors.ts";

/** FOLDER and NAME in an address are the test's. Of both there is a notify socket: `FOLDER/notify` and `@NAME`. */
export interface NotifyRow {
  readonly id: string;
  /** NOTIFY_SOCKET; unset if there is none. */
  readonly socket: string | undefined;
  readonly state: string;
  /** How many descriptors, and which. */
  readonly fds?: { readonly count: number; readonly fd: number };
  /** What is returned, or thrown. */
  readonly expected: boolean | Fd3ErrorCode;
}

/** A path below FOLDER, or an abstract name, of so many bytes. */
function padded(prefix: string, bytes: number): string {
  return prefix.padEnd(bytes, "x");
}

const ready = "READY=1";
const malformed = ["", "/", "@", "run/notify", "./x", "unix:/x", " /run/notify"];
/** Another user's socket has not so much room. */
const isRoot = process.getuid?.() === 0;

/** The rows N1 to N7. N8 is the barrier's. N9 is newer than libsystemd 252. */
export function notifyRows(folder: string, name: string): NotifyRow[] {
  const path = `${folder}/notify`;
  return [
    { id: "N1, unset", socket: undefined, state: ready, expected: false },
    ...malformed.map((socket): NotifyRow => ({ id: `N1, ${socket}`, socket, state: ready, expected: "EINVAL" })),
    { id: "N2, path", socket: path, state: ready, expected: true },
    { id: "N2, abstract", socket: `@${name}`, state: ready, expected: true },
    { id: "N2, nothing there", socket: `${folder}/none`, state: ready, expected: "ENOENT" },
    { id: "N2, no such abstract name", socket: "@fd3-nobody-has-this", state: ready, expected: "ECONNREFUSED" },
    { id: "N2, no socket", socket: "/dev/null", state: ready, expected: "ECONNREFUSED" },
    { id: "N2, stream", socket: `${folder}/stream`, state: ready, expected: "EPROTOTYPE" },
    { id: "N3, 107 bytes", socket: padded(`${folder}/`, 107), state: ready, expected: "ENOENT" },
    { id: "N3, 108 bytes", socket: padded(`${folder}/`, 108), state: ready, expected: "ENAMETOOLONG" },
    { id: "N3, 107 bytes in 105 characters", socket: padded(`${folder}/ü`, 106), state: ready, expected: "ENOENT" },
    {
      id: "N3, 108 bytes in 107 characters",
      socket: padded(`${folder}/ü`, 107),
      state: ready,
      expected: "ENAMETOOLONG",
    },
    { id: "N3, abstract, 107 bytes", socket: padded("@", 107), state: ready, expected: "ECONNREFUSED" },
    { id: "N3, abstract, 108 bytes", socket: padded("@", 108), state: ready, expected: "EINVAL" },
    { id: "N4, empty", socket: path, state: "", expected: true },
    { id: "N5", socket: path, state: "READY=1\nSTATUS=grüß\n\ndich 💡\n", expected: true },
    { id: "N6, 5 kB", socket: path, state: "x".repeat(5000), expected: true },
    ...(isRoot ? [{ id: "N6, 400 kB", socket: path, state: "x".repeat(400_000), expected: true }] : []),
    { id: "N7, one", socket: path, state: "FDSTORE=1", fds: { count: 1, fd: 0 }, expected: true },
    { id: "N7, 253", socket: path, state: "FDSTORE=1", fds: { count: 253, fd: 0 }, expected: true },
    { id: "N7, 254", socket: path, state: "FDSTORE=1", fds: { count: 254, fd: 0 }, expected: "EINVAL" },
    { id: "N7, closed", socket: path, state: "FDSTORE=1", fds: { count: 1, fd: 999 }, expected: "EBADF" },
  ];
}

/** WATCHDOG_USEC and WATCHDOG_PID, where `<me>` is the process ID; and the interval, `undefined` for none, or the code. */
export type WatchdogRow = readonly [
  id: string,
  usec: string | undefined,
  pid: string | undefined,
  expected: bigint | undefined | Fd3ErrorCode,
];

/** The rows W1 to W4. */
export const watchdogRows: readonly WatchdogRow[] = [
  ["W1", "100", "<me>", 100n],
  ["W1", "1", undefined, 1n],
  ["W1", "18446744073709551614", undefined, 18446744073709551614n],
  ["W2", "0", "<me>", "EINVAL"],
  ["W2", "0", undefined, "EINVAL"],
  ["W2", "0", "1", "EINVAL"],
  ["W2, infinity", "18446744073709551615", undefined, "EINVAL"],
  ["W2", "18446744073709551616", undefined, "ERANGE"],
  ["W2", "-1", undefined, "ERANGE"],
  ["W2", "-1", "<me>", "ERANGE"],
  ["W2, a minus that systemd does not see", "\f-6", undefined, 18446744073709551610n],
  ["W2, one behind a prefix", "0x-6", undefined, "EINVAL"],
  ...["abc", "", "5 ", "1.5"].map((usec): WatchdogRow => ["W3", usec, undefined, "EINVAL"]),
  ["W3", " 5", undefined, 5n],
  ["W3", "0x10", undefined, 16n],
  ["W3", "010", undefined, 8n],
  ["W4", "1", "", "EINVAL"],
  ["W4", "1", "0", "ERANGE"],
  ["W4", "1", "-3", "ERANGE"],
  ["W4", "1", "junk", "EINVAL"],
  ["W4", "1", "1", undefined],
  ["W4", undefined, "<me>", undefined],
  ["W4", undefined, "junk", undefined],
  ["W4, the interval first", "junk", "junk", "EINVAL"],
  ["W4, the interval first", "junk", "1", "EINVAL"],
];

/** The environment of a row. */
export function watchdogEnv(
  [, usec, pid]: WatchdogRow,
  me: number,
): { WATCHDOG_USEC?: string; WATCHDOG_PID?: string } {
  return {
    ...(usec === undefined ? {} : { WATCHDOG_USEC: usec }),
    ...(pid === undefined ? {} : { WATCHDOG_PID: pid.replace("<me>", String(me)) }),
  };
}
