import assert from "node:assert/strict";
import { test } from "node:test";
import { canOpen, isLack, withFreeFds } from "../src/free_fds.ts";
import { Fd3Error } from "../src/errors.ts";
import { fd3Error } from "./fixtures/expect.ts";
import { fakeHost } from "./fixtures/fake_host.ts";
import { FakeKernel } from "./fixtures/fake_kernel.ts";
import { host, runtime } from "./fixtures/runtime.ts";

const lacking = fd3Error("EMFILE", "Cannot try: too many open files; raise LimitNOFILE= (RLIMIT_NOFILE)");
const never = () => assert.fail("it was begun");

test(`canOpen() finds that descriptors are free, and takes none (${runtime})`, () => {
  for (let i = 0; i < 2000; i++) assert.equal(canOpen(host, 3), true);
});

test("canOpen() asks the runtime before libc, and cannot tell where another error comes or nothing tells", () => {
  const { libc } = new FakeKernel();
  assert.equal(canOpen({ ...fakeHost({ libc }), canOpen: () => false }, 1), false);
  assert.equal(canOpen(fakeHost({ libc }), 1), undefined);
  assert.equal(canOpen(fakeHost(), 1), undefined);
});

test("withFreeFds() begins nothing where too few are free", async () => {
  await assert.rejects(() => withFreeFds({ ...fakeHost(), canOpen: () => false }, "try", never), lacking);
});

test("withFreeFds() tells lack of descriptors by one text, whatever the runtime makes of it", async () => {
  const made: unknown[] = [
    Object.assign(new Error("open '/x'"), { code: "EMFILE" }),
    new TypeError('EMFILE reading "/x.ts"'),
    new Error("Too many open files (os error 24)"),
    new Fd3Error("ERR_FD3_TRANSPLANT", "Cannot open a placeholder", {
      cause: new Error("x", { cause: { code: "EMFILE" } }),
    }),
  ];
  for (const error of made) {
    assert.equal(isLack(error), true);
    await assert.rejects(() => withFreeFds(fakeHost(), "try", () => Promise.reject(error)), lacking);
  }
  for (const error of [new Error("EMFILES"), new Fd3Error("EACCES", "Cannot"), undefined, null, "x"]) {
    assert.equal(isLack(error), false);
    await assert.rejects(() => withFreeFds(fakeHost(), "try", () => Promise.reject(error)), (e) => e === error);
  }
});
