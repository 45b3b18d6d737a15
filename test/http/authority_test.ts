import assert from "node:assert/strict";
import { test } from "node:test";
import { authorityOf, urlHost } from "../../src/http/authority.ts";

test("authorityOf() gives what a URL can have of an address", () => {
  const tcp = (hostname: string) => authorityOf({ transport: "tcp", hostname, port: 80 });
  assert.equal(tcp("192.0.2.1"), "192.0.2.1:80");
  assert.equal(tcp("::1"), "[::1]:80");
  assert.equal(tcp("fe80::1%eth0"), "[fe80::1]:80");
  assert.equal(authorityOf({ transport: "unix", path: "/run/foobar.sk" }), "localhost");
  assert.equal(new URL(`http://${urlHost("fe80::1%eth0")}/`).hostname, "[fe80::1]");
});
