import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInt32, parsePid, parseUint64 } from "../../src/activation/number.ts";
import { fd3Error } from "../fixtures/expect.ts";

type Row<T> = readonly [text: string, expected: T | "EINVAL" | "ERANGE"];

function run<T extends number | bigint>(
  name: string,
  parse: (variable: string, text: string) => T,
  rows: readonly Row<T>[],
): void {
  for (const [text, expected] of rows) {
    test(`${name}() ${typeof expected === "string" ? "throws" : "returns"} ${expected} for ${JSON.stringify(text)}`, () => {
      if (typeof expected !== "string") return assert.equal(parse("X", text), expected);
      const why = expected === "EINVAL" ? "not a number" : "out of range";
      assert.throws(() => parse("X", text), fd3Error(expected, `Cannot read X: ${JSON.stringify(text)} is ${why}`));
    });
  }
}

/** What safe_atoi() and safe_atou64() share; measured with libsystemd 252 through sd_listen_fds(3). */
const common: readonly Row<number>[] = [
  ["1", 1],
  ["+1", 1],
  ["-0", 0],
  ["000000000001", 1],
  [" 1", 1],
  ["\t\n\v\f\r 1", 1],
  ["0x2", 2],
  ["0XfF", 255],
  ["+0x10", 16],
  ["010", 8],
  ["0", 0],
  ["00", 0],
  ["0b10", 2],
  ["0B10", 2],
  ["0o17", 15],
  ["0O17", 15],
  ["0b+1", 1],
  ["0b 1", 1],
  ["0b\v1", 1],
  [" 0b1", 1],
  ["\r 0b1", 1],
  ["\n0o2", 2],
  ["\v0b1", "EINVAL"],
  ["+0b1", "EINVAL"],
  ["0b2", "EINVAL"],
  ["0b1x", "EINVAL"],
  ["0o8", "EINVAL"],
  ["0b", "EINVAL"],
  ["0o", "EINVAL"],
  ["0x", "EINVAL"],
  ["0xg", "EINVAL"],
  ["0x0x1", "EINVAL"],
  ["0b0b1", "EINVAL"],
  ["0o0x1", "EINVAL"],
  ["08", "EINVAL"],
  ["018", "EINVAL"],
  ["", "EINVAL"],
  [" ", "EINVAL"],
  ["+", "EINVAL"],
  ["-", "EINVAL"],
  ["++1", "EINVAL"],
  ["+ 1", "EINVAL"],
  ["abc", "EINVAL"],
  ["1x", "EINVAL"],
  ["1 ", "EINVAL"],
  ["1\n", "EINVAL"],
  ["1.0", "EINVAL"],
  ["1e1", "EINVAL"],
  ["1_000", "EINVAL"],
  ["\u00a01", "EINVAL"],
  ["\uff11", "EINVAL"],
];

run("parseInt32", parseInt32, [
  ...common,
  ["-1", -1],
  ["0b-1", -1],
  ["-010", -8],
  ["2147483647", 2147483647],
  ["0x7fffffff", 2147483647],
  ["2147483648", "ERANGE"],
  ["0xffffffff", "ERANGE"],
  ["0b11111111111111111111111111111111", "ERANGE"],
  ["-2147483648", -2147483648],
  ["-2147483649", "ERANGE"],
  ["99999999999", "ERANGE"],
  ["9223372036854775808", "ERANGE"],
  ["-9223372036854775809", "ERANGE"],
  // strtol(3) reports the overflow of a long before the rest is looked at, the overflow of an int comes after.
  ["2147483648x", "EINVAL"],
  ["9223372036854775807x", "EINVAL"],
  ["9223372036854775808x", "ERANGE"],
  ["-9223372036854775808x", "EINVAL"],
]);

run("parseUint64", parseUint64, [
  ...common.map(([text, expected]): Row<bigint> => [text, typeof expected === "number" ? BigInt(expected) : expected]),
  ["18446744073709551615", 18446744073709551615n],
  ["0xffffffffffffffff", 18446744073709551615n],
  ["9007199254740993", 9007199254740993n],
  ["18446744073709551616", "ERANGE"],
  ["18446744073709551616x", "ERANGE"],
  ["18446744073709551615x", "EINVAL"],
  ["-1", "ERANGE"],
  [" -1", "ERANGE"],
  ["0b-1", "ERANGE"],
  ["-18446744073709551615", "ERANGE"],
]);

run("parsePid", parsePid, [
  ...common.map(([text, expected]): Row<number> => [text, expected === 0 ? "ERANGE" : expected]),
  ["2147483647", 2147483647],
  ["2147483648", "ERANGE"],
  ["4294967297", "ERANGE"],
  ["18446744073709551615", "ERANGE"],
  ["18446744073709551616", "ERANGE"],
  ["-1", "ERANGE"],
  ["-18446744073709551615", "ERANGE"],
]);
