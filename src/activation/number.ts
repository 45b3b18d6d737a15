import { Fd3Error } from "../errors.ts";
import { quoted } from "../quoted.ts";

const syntax = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)(.*)$/s;
const pythonSyntax = /^0([bBoO])(.*)$/s;
const signedDigits: Record<string, RegExp> = {
  b: /^[ \t\n\v\f\r]*([+-]?)([01]+)(.*)$/s,
  o: /^[ \t\n\v\f\r]*([+-]?)([0-7]+)(.*)$/s,
};

interface Parsed {
  negative: boolean;
  /** Whether the minus sign is the first character that strtol(3) is given: systemd looks there for one. */
  plainlyNegative: boolean;
  magnitude: bigint;
  rest: string;
}

/** What the service manager writes. The rest of this file takes half a millisecond to get going, which such a number need not wait for. */
function plain(text: string): number | undefined {
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined;
}

/** More binary digits than any number here has. */
const mostDigits = 70;

/** The number of such digits. What has too many of them is out of range anyway, and engines take quadratic time for it. */
function magnitudeOf(prefix: string, digits: string): bigint {
  const significant = digits.replace(/^0+/, "");
  return significant.length > mostDigits ? 1n << 70n : BigInt(`${prefix}${significant || "0"}`);
}

/** strtol(3) with base 0, as systemd's parse-util.c calls it: hex, C's octal, and the prefixes 0b and 0o behind WHITESPACE. */
function parse(untrimmed: string): Parsed | undefined {
  const text = untrimmed.replace(/^[ \t\n\r]+/, "");
  const python = pythonSyntax.exec(text);
  if (python !== null) {
    const letter = python[1].toLowerCase();
    const match = signedDigits[letter].exec(python[2]);
    if (match !== null) {
      const negative = match[1] === "-";
      const plainlyNegative = python[2].startsWith("-");
      return { negative, plainlyNegative, magnitude: magnitudeOf(`0${letter}`, match[2]), rest: match[3] };
    }
    return undefined;
  }
  const match = syntax.exec(text);
  if (match === null) return undefined;
  const [, sign, digits, rest] = match;
  const negative = sign === "-";
  const plainlyNegative = text.startsWith("-");
  if (/^0[0-9]/.test(digits)) {
    const octal = /^[0-7]+/.exec(digits)![0];
    return { negative, plainlyNegative, magnitude: magnitudeOf("0o", octal), rest: digits.slice(octal.length) + rest };
  }
  const prefix = /^0[xX]/.test(digits) ? "0x" : "";
  const magnitude = magnitudeOf(prefix, digits.slice(prefix.length));
  return { negative, plainlyNegative, magnitude, rest };
}

function fail(code: "EINVAL" | "ERANGE", variable: string, text: string): never {
  const why = code === "EINVAL" ? "not a number" : "out of range";
  throw new Fd3Error(code, `Cannot read ${variable}: ${quoted(text)} is ${why}`);
}

const longMax = 0x7fffffffffffffffn;
const intMax = 0x7fffffffn;
const unsignedLongMax = 0xffffffffffffffffn;

/**
 * safe_atoi() of systemd: a C `int`.
 *
 * @throws {Fd3Error} `EINVAL` if it is no number, `ERANGE` if it does not fit.
 * @param variable The environment variable it stands in, for the message.
 * @param text The value.
 */
export function parseInt32(variable: string, text: string): number {
  const number = plain(text);
  if (number !== undefined) return number;
  const parsed = parse(text);
  if (parsed === undefined) fail("EINVAL", variable, text);
  const { negative, magnitude, rest } = parsed;
  if (magnitude > (negative ? longMax + 1n : longMax)) fail("ERANGE", variable, text);
  if (rest !== "") fail("EINVAL", variable, text);
  if (magnitude > (negative ? intMax + 1n : intMax)) fail("ERANGE", variable, text);
  return Number(negative ? -magnitude : magnitude);
}

/**
 * safe_atou64() of systemd: a C `uint64_t`. A minus sign is out of range, but for -0; one behind a \v or \f is not seen, and
 * strtoull(3) wraps around.
 *
 * @throws {Fd3Error} `EINVAL` if it is no number, `ERANGE` if it does not fit.
 * @param variable The environment variable it stands in, for the message.
 * @param text The value.
 */
export function parseUint64(variable: string, text: string): bigint {
  const parsed = parse(text);
  if (parsed === undefined) fail("EINVAL", variable, text);
  const { negative, plainlyNegative, magnitude, rest } = parsed;
  if (magnitude > unsignedLongMax) fail("ERANGE", variable, text);
  if (rest !== "") fail("EINVAL", variable, text);
  if (plainlyNegative && magnitude !== 0n) fail("ERANGE", variable, text);
  return negative ? BigInt.asUintN(64, -magnitude) : magnitude;
}

/**
 * parse_pid() of systemd: a process ID above 0.
 *
 * @throws {Fd3Error} `EINVAL` if it is no number, `ERANGE` if it is no process ID.
 * @param variable The environment variable it stands in, for the message.
 * @param text The value.
 */
export function parsePid(variable: string, text: string): number {
  const number = plain(text);
  if (number !== undefined) return number;
  const pid = parseUint64(variable, text);
  if (pid === 0n || pid > intMax) fail("ERANGE", variable, text);
  return Number(pid);
}
