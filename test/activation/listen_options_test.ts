import assert from "node:assert/strict";
import { test } from "node:test";
import { checkListenOptions } from "../../src/activation/choose.ts";
import type { ListenOptions } from "../../src/types.ts";
import { typeError } from "../fixtures/expect.ts";

const misuse: readonly (readonly [options: unknown, message: string])[] = [
  [null, "options are null, not an object"],
  ["80", 'options are "80", not an object'],
  [{ name: 3 }, "name is 3, not a string"],
  [{ all: 1 }, "all is 1, not true or false"],
  [{ mode: -1 }, "mode is -1, not an integer between 0 and 0o777"],
  [{ mode: 0o1000 }, "mode is 512, not an integer between 0 and 0o777"],
  [{ group: "" }, 'group is "", neither a name nor a number of a group'],
  [{ group: 1.5 }, "group is 1.5, neither a name nor a number of a group"],
  [{ fallbackFor: "never" }, 'fallbackFor is "never", not "always" or "unsupervised"'],
  [{ mode: 1.5 }, "mode is 1.5, not an integer between 0 and 0o777"],
  [{ mode: "660" }, 'mode is "660", not an integer between 0 and 0o777'],
];

for (const [options, message] of misuse) {
  test(`checkListenOptions() throws where ${message}`, () => {
    assert.throws(() => checkListenOptions(options as ListenOptions), typeError(`Cannot listen: ${message}`));
  });
}

test("checkListenOptions() passes what listen() takes", () => {
  for (
    const options of [{}, { name: "" }, { all: true }, { all: false }, { mode: 0 }, { mode: 0o777 }, { group: 0 }, {
      group: "www-data",
    }, {
      fallbackFor: "always",
    }] as const
  ) checkListenOptions(options);
});
