// Random environments, most of them near an edge of what libsystemd accepts.
import fc from "fast-check";
import type { Environment } from "../../src/activation/listen_fds.ts";

const edges = [6n, 7n, 2n ** 31n - 4n, 2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n, 2n ** 100n];
const value = fc.oneof(
  { weight: 3, arbitrary: fc.bigInt({ min: 0n, max: 9n }) },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom(...edges), fc.bigInt({ min: -2n, max: 2n })).map(([a, b]) => a + b),
  },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 65n }) },
);

/** Mostly the empty text: a number with several oddities is refused for the first. */
const rarely = (weight: number, ...texts: string[]) =>
  fc.oneof(
    { weight, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.constantFrom(...texts) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(...texts), { maxLength: 3 }).map((all) => all.join("")) },
  );
const blanks = rarely(10, " ", "\t", "\n", "\v", "\f", "\r", "\u00a0", "\u3000");
const sign = rarely(10, "+", "-");
const notations: readonly (readonly [prefix: string, radix: number])[] = [
  ["", 10],
  ["0", 8],
  ["0x", 16],
  ["0X", 16],
  ["0b", 2],
  ["0B", 2],
  ["0o", 8],
  ["0O", 8],
  ["0", 10],
  ["0b", 10],
  ["0x0", 16],
  ["00", 10],
];
const junk = rarely(4, " ", "\n", "x", ".0", "e1", "_0", "n", "8", "g", "\uff11", "💡");

/** Anything but NUL and lone surrogates, which no environment can have. */
const text = fc.string({ unit: "binary", maxLength: 6 }).map((all) => all.replaceAll("\0", ""));

/** A number in one of the notations, or nearly one. */
function numberLike(of: fc.Arbitrary<bigint>): fc.Arbitrary<string> {
  const parts = fc.tuple(blanks, sign, fc.constantFrom(...notations), blanks, sign, of, fc.boolean(), junk);
  return parts.map(([before, sign, [prefix, radix], between, inner, number, upper, after]) => {
    const digits = (number < 0n ? -number : number).toString(radix);
    return [before, sign, prefix, between, inner, upper ? digits.toUpperCase() : digits, after].join("");
  });
}

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("", "a", "http", "my\\x2dapp.socket", "stored", "unknown", '"a b"', " a ") },
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom("\\", ":", "\\:", "a", " ", "\n", '"', "é", "💡")).map((all) => all.join("")),
  },
  { weight: 1, arbitrary: text },
);
const names = fc.array(name, { minLength: 1, maxLength: 7 });

const escape = (text: string) => text.replace(/[\\:]/g, "\\$&");

/** LISTEN_FDS and LISTEN_FDNAMES that belong together, or nearly. */
const matching = fc.tuple(names, fc.constantFrom(0, 0, 0, 1, -1)).map(([names, off]) => ({
  LISTEN_FDS: String(names.length + off),
  LISTEN_FDNAMES: names.map(escape).join(":"),
}));

const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 6 });
const unrelated = fc.record({
  LISTEN_FDS: maybe(fc.oneof(
    { weight: 5, arbitrary: numberLike(value) },
    { weight: 2, arbitrary: value.map(String) },
    { weight: 1, arbitrary: text },
  )),
  LISTEN_FDNAMES: fc.option(names.map((all) => all.join(":")), { nil: undefined, freq: 1 }),
});

function pidLike(me: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(String(me)) },
    { weight: 3, arbitrary: numberLike(fc.constant(BigInt(me))) },
    { weight: 3, arbitrary: numberLike(value) },
    { weight: 1, arbitrary: text },
  );
}

/**
 * What a process with this ID, and with six descriptors, may find.
 *
 * @param me The process ID.
 * @param wanted Leaves out those whose LISTEN_PID or LISTEN_FDS it does not want.
 */
export function environments(me: number, wanted: (number: string) => boolean): fc.Arbitrary<Environment> {
  const parts = fc.tuple(maybe(pidLike(me)), fc.oneof(matching, unrelated));
  const all = parts.map(([LISTEN_PID, rest]): Environment =>
    Object.fromEntries(Object.entries({ LISTEN_PID, ...rest }).filter(([, value]) => value !== undefined))
  );
  return all.filter(({ LISTEN_PID = "", LISTEN_FDS = "" }) => wanted(LISTEN_PID) && wanted(LISTEN_FDS));
}

/**
 * What a process with this ID may find about its watchdog.
 *
 * @param me The process ID.
 * @param wanted Leaves out those of whose numbers it wants one not.
 */
export function watchdogEnvironments(
  me: number,
  wanted: (number: string) => boolean,
): fc.Arbitrary<{ WATCHDOG_USEC?: string; WATCHDOG_PID?: string }> {
  const usec = fc.oneof(
    { weight: 5, arbitrary: numberLike(value) },
    { weight: 2, arbitrary: value.map(String) },
    { weight: 1, arbitrary: text },
  );
  const all = fc.tuple(maybe(usec), fc.oneof(fc.constant(undefined), pidLike(me))).map((both) => {
    const entries = both.map((value, i) => [["WATCHDOG_USEC", "WATCHDOG_PID"][i], value]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  });
  return all.filter(({ WATCHDOG_USEC = "", WATCHDOG_PID = "" }) => wanted(WATCHDOG_USEC) && wanted(WATCHDOG_PID));
}
