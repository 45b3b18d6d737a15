// Oracle L: what sd_listen_fds_with_names(3) answers in a process with six sockets at 3 to 8. Two tests share the table: that
// of readListenFds(), and the one that asks libsystemd whether the table is true.
import type { Environment } from "../../src/activation/listen_fds.ts";
import type { Fd3ErrorCode } from "../../src/errors.ts";

/** The names where it succeeds, the code where not. */
export type Row = readonly [id: string, env: Environment, expected: readonly string[] | Fd3ErrorCode];

/** Without `undefined`, and for this process unless said otherwise: {@linkcode forProcess}. */
export function env(count?: string, names?: string, pid = "<me>", pidfdId?: string): Environment {
  const all = { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names, LISTEN_PIDFDID: pidfdId };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The environment where `<me>`, `<me octal>`, `<me hex>` and `<me binary>` in LISTEN_PID are this process ID. */
export function forProcess(pid: number, env: Environment): Environment {
  if (env.LISTEN_PID === undefined) return env;
  const radix: Record<string, number> = { "": 10, " octal": 8, " hex": 16, " binary": 2 };
  const text = env.LISTEN_PID.replace(/<me( octal| hex| binary|)>/g, (_, base: string) => pid.toString(radix[base]));
  return { ...env, LISTEN_PID: text };
}

/** What a row expects of descriptors without names. */
export const unknown = (count: number): string[] => Array<string>(count).fill("unknown");
const withoutPid = { LISTEN_FDS: "2" };

const rows: readonly Row[] = [
  ["L1", env("2", "a:b"), ["a", "b"]],
  ["L2", env("2"), unknown(2)],
  ["L3", env("2", "a"), "EINVAL"],
  ["L3", env("1", "a:b"), "EINVAL"],
  ["L4", env("2", ""), "EINVAL"],
  ["L4", env("1", ""), [""]],
  ["L5", env("3", "x::z"), ["x", "", "z"]],
  ["L5", env("2", "a:"), ["a", ""]],
  ["L6", env("1", "a\\:b"), ["a:b"]],
  ["L7", env("1", "a\\x41b"), ["ax41b"]],
  ["L7", env("1", "a\\\\b"), ["a\\b"]],
  ["L7", env("1", "a\\"), "EINVAL"],
  ["L8", env("1", '"a b"'), ['"a b"']],
  ["L8", env("1", " a "), [" a "]],
  ...["0", "-1", "", "abc", "1x", "1 ", "1.0"].map((count): Row => ["L9", env(count), "EINVAL"]),
  ["L10", env(" 1"), unknown(1)],
  ["L10", env("+1"), unknown(1)],
  ["L10", env("0x2"), unknown(2)],
  ["L10", env("02"), unknown(2)],
  ["L10", env("0b10"), unknown(2)],
  ["L10", env("0o2"), unknown(2)],
  ["L11", env("2147483645"), "EINVAL"],
  ["L11, the largest count", env("2147483644"), "EBADF"],
  ["L11", env("99999999999"), "ERANGE"],
  ["L12", env("200"), "EBADF"],
  ["L12, before the names", env("200", "a"), "EBADF"],
  ["L13, LISTEN_FDS unset", env(undefined), []],
  ["L13, LISTEN_PID unset", withoutPid, []],
  ["L14", env("2", undefined, "1"), []],
  ["L14", env("junk", undefined, "1"), []],
  ["L15", env("2", "a\\", "1"), "EINVAL"],
  ["L15, LISTEN_PID unset", { ...withoutPid, LISTEN_FDNAMES: "a\\" }, "EINVAL"],
  ["L16", env("2", undefined, ""), "EINVAL"],
  ["L16", env("2", undefined, "no way"), "EINVAL"],
  ["L16", env("2", undefined, "0"), "ERANGE"],
  ["L16", env("2", undefined, "-5"), "ERANGE"],
  ["L16", env("2", undefined, "99999999999999"), "ERANGE"],
  ["L16, before LISTEN_FDS", env(undefined, undefined, "no way"), "EINVAL"],
  ["L17", env("2", undefined, " <me>"), unknown(2)],
  ["L17", env("2", undefined, "+<me>"), unknown(2)],
  ["L17, octal", env("2", undefined, "0<me octal>"), unknown(2)],
  ["L17, hex", env("2", undefined, "0x<me hex>"), unknown(2)],
  ["L17, binary", env("2", undefined, "0b<me binary>"), unknown(2)],
  ["L17, no octal", env("2", undefined, "089"), "EINVAL"],
];

/** The rows for a process: L1 to L17, of which each stands for L18, too. L19 is newer than libsystemd 252. */
export function rowsFor(pid: number): Row[] {
  // A leading zero makes it octal, in which 8 and 9 are no digits.
  const octal = /[89]/.test(String(pid)) ? "EINVAL" : [];
  const all: Row[] = [...rows, ["L17, decimal behind 0", env("2", undefined, "0<me>"), octal]];
  return all.map(([id, environment, expected]) => [id, forProcess(pid, environment), expected]);
}
