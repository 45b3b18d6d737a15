import assert from "node:assert/strict";
import { test } from "node:test";
import { fallbackAddress, formatAddress, parseListenAddress } from "../../src/activation/address.ts";
import type { Address, Fallback } from "../../src/types.ts";
import { typeError } from "../fixtures/expect.ts";

const tcp = (hostname: string, port: number): Address => ({ transport: "tcp", hostname, port });
const unix = (path: string): Address => ({ transport: "unix", path });
const vsock = (cid: number, port: number): Address => ({ transport: "vsock", cid, port });
const path107 = `/${"a".repeat(106)}`;
const allowed = 'allowed are "/path", "@abstract", "port", "host:port", "[v6]:port" and "vsock:cid:port"';

/** The forms of ListenStream= (systemd.socket(5)), and the text that formatAddress() makes where it is another. */
const accepted: readonly (readonly [text: string, address: Address, formatted?: string])[] = [
  ["/run/foo.sock", unix("/run/foo.sock")],
  ["/run/with blank", unix("/run/with blank")],
  ["/run/a:80", unix("/run/a:80")],
  ["/run/ü", unix("/run/ü")],
  [path107, unix(path107)],
  ["@foo", unix("@foo")],
  ["@a/b:1", unix("@a/b:1")],
  ["8080", tcp("::", 8080), "[::]:8080"],
  ["1", tcp("::", 1), "[::]:1"],
  ["65535", tcp("::", 65535), "[::]:65535"],
  ["127.0.0.1:8080", tcp("127.0.0.1", 8080)],
  ["0.0.0.0:0", tcp("0.0.0.0", 0)],
  ["localhost:80", tcp("localhost", 80)],
  ["my-host.example:65535", tcp("my-host.example", 65535)],
  ["localhost.:80", tcp("localhost.", 80)],
  ["a_b.1a:80", tcp("a_b.1a", 80)],
  ["255.255.255.255:80", tcp("255.255.255.255", 80)],
  [`${"a".repeat(63)}.b:80`, tcp(`${"a".repeat(63)}.b`, 80)],
  ["[fe80::1]:80%123456789012345", tcp("fe80::1%123456789012345", 80)],
  ["[::1]:8080", tcp("::1", 8080)],
  ["[::]:0", tcp("::", 0)],
  ["[::ffff:127.0.0.1]:1", tcp("::ffff:127.0.0.1", 1)],
  ["[fe80::1]:80%eth0", tcp("fe80::1%eth0", 80)],
  ["vsock:2:1234", vsock(2, 1234)],
  ["vsock::1234", vsock(0xffffffff, 1234), "vsock:4294967295:1234"],
  ["vsock:4294967295:4294967295", vsock(0xffffffff, 0xffffffff)],
];

for (const [text, address, formatted = text] of accepted) {
  test(`parseListenAddress() reads ${JSON.stringify(text.slice(0, 40))}, and formatAddress() writes it`, () => {
    assert.deepEqual(parseListenAddress(text), address);
    assert.equal(formatAddress(address), formatted);
    assert.deepEqual(parseListenAddress(formatted), address);
  });
}

const none = "it is none of these";
const refused: readonly (readonly [text: string, why: string])[] = [
  ["", none],
  ["foo", none],
  ["foo\0:80", none],
  ["foo.sock", none],
  ["./foo.sock", none],
  [" 80", none],
  ["80 ", none],
  ["-1", none],
  ["0x50", none],
  [":80", none],
  ["127.0.0.1", none],
  ["127.0.0.1:", none],
  ["127.0.0.1:http", none],
  ["127.0.0.1:+80", none],
  ["127.0.0.1:80\n", none],
  ["a b:80", none],
  ["::1:80", none],
  ["[::1]", none],
  ["[::1]:", none],
  ["[::1]80", none],
  ["[127.0.0.1]:80", "what is between the brackets is no IPv6 address"],
  ["[fe80::1%eth0]:80", none],
  ["[fe80::1]:80%", none],
  ["[fe80::1]:80%a/b", none],
  ["127.0.0.1:80%eth0", none],
  ["[a:b:1]:80", "what is between the brackets is no IPv6 address"],
  ["[::ffff:1.2.3.256]:80", "what is between the brackets is no IPv6 address"],
  ["[1:2:3:4:5:6:7:8:9]:80", "what is between the brackets is no IPv6 address"],
  ["[12345::]:80", "what is between the brackets is no IPv6 address"],
  ["[]:80", none],
  ["[::1]:+80", none],
  ["[::1]: 80", none],
  ["[fe80::1]:80%a\0", none],
  ["[fe80::1]:80%1234567890123456", none],
  ["localhost:-80", none],
  ["localhost: 80", none],
  ["256.0.0.1:80", "the host is no IPv4 address"],
  ["1.2.3:80", "the host is no IPv4 address"],
  ["1.2.3.4.5:80", "the host is no IPv4 address"],
  ["127.1:80", "the host is no IPv4 address"],
  ["127.0.0.01:80", "the host is no IPv4 address"],
  ["127.0.0.1.:80", "the host is no IPv4 address"],
  ["0x7f000001:80", "the host is no IPv4 address"],
  ["2130706433:80", "the host is no IPv4 address"],
  ["a..b:80", "the host is no host name"],
  [".:80", "the host is no host name"],
  [".a:80", "the host is no host name"],
  ["a\x01b:80", "the host is no host name"],
  [`${"a".repeat(64)}:80`, "the host is no host name"],
  ["/", "it names a folder"],
  ["/run/x/", "it names a folder"],
  ["/run/\ud800", "it contains half of a surrogate pair"],
  ["@\udc00", "it contains half of a surrogate pair"],
  ["[1::2::3]:80", "what is between the brackets is no IPv6 address"],
  ["[::1.2.3]:80", "what is between the brackets is no IPv6 address"],
  ["http://127.0.0.1:80", none],
  ["0", "port 0 needs a host"],
  ["65536", 'port "65536" is not between 0 and 65535'],
  ["000080", 'port "000080" is not between 0 and 65535'],
  ["127.0.0.1:65536", 'port "65536" is not between 0 and 65535'],
  ["[::1]:99999999", 'port "99999999" is not between 0 and 65535'],
  ["@", "the abstract name is empty"],
  ["/run/\0", "it contains a NUL"],
  ["@a\0b", "it contains a NUL"],
  [`${path107}a`, "it has more than 107 bytes"],
  [`/${"ü".repeat(54)}`, "it has more than 107 bytes"],
  [`@${"a".repeat(107)}`, "it has more than 107 bytes"],
  ["vsock:2", "it is not vsock:cid:port"],
  ["vsock:2:", "it is not vsock:cid:port"],
  ["vsock:host:1", "it is not vsock:cid:port"],
  ["vsock:-1:1", "it is not vsock:cid:port"],
  ["vsock:4294967296:1", "a number is above 4294967295"],
  ["vsock:2:4294967296", "a number is above 4294967295"],
];

for (const [text, why] of refused) {
  test(`parseListenAddress() refuses ${JSON.stringify(text.slice(0, 40))}: ${why}`, () => {
    const message = `Cannot read address ${JSON.stringify(text)}: ${why}; ${allowed}`;
    assert.throws(() => parseListenAddress(text), typeError(message));
    assert.throws(() => fallbackAddress(text), typeError(message));
  });
}

const fallbacks: readonly (readonly [fallback: Fallback, address: Address])[] = [
  ["8080", tcp("::", 8080)],
  ["127.0.0.1:0", tcp("127.0.0.1", 0)],
  ["@foo", unix("@foo")],
  [{ port: 0 }, tcp("::", 0)],
  [{ port: 65535 }, tcp("::", 65535)],
  [{ hostname: "localhost", port: 80 }, tcp("localhost", 80)],
  [{ hostname: "fe80::1%eth0", port: 80 }, tcp("fe80::1%eth0", 80)],
  [{ path: "/run/foo.sock" }, unix("/run/foo.sock")],
  [{ path: "@foo" }, unix("@foo")],
  [{ path: path107 }, unix(path107)],
];

for (const [fallback, address] of fallbacks) {
  test(`fallbackAddress() reads ${JSON.stringify(fallback).slice(0, 60)}`, () => {
    assert.deepEqual(fallbackAddress(fallback), address);
  });
}

const refusedFallbacks: readonly (readonly [fallback: unknown, message: string])[] = [
  ["vsock:2:1", `Cannot read address "vsock:2:1": no runtime can open a vsock; ${allowed}`],
  [8080, "Cannot read fallback: 8080 is neither a string nor an object"],
  [null, "Cannot read fallback: null is neither a string nor an object"],
  [true, "Cannot read fallback: true is neither a string nor an object"],
  [{}, "Cannot read fallback: port undefined is not between 0 and 65535"],
  [{ port: -1 }, "Cannot read fallback: port -1 is not between 0 and 65535"],
  [{ port: 65536 }, "Cannot read fallback: port 65536 is not between 0 and 65535"],
  [{ port: 1.5 }, "Cannot read fallback: port 1.5 is not between 0 and 65535"],
  [{ port: NaN }, "Cannot read fallback: port NaN is not between 0 and 65535"],
  [{ port: "80" }, "Cannot read fallback: port 80 is not between 0 and 65535"],
  [{ hostname: "", port: 80 }, 'Cannot read fallback: hostname "" is not a name or address'],
  [{ hostname: "a:b:1", port: 80 }, 'Cannot read fallback: hostname "a:b:1" is not a name or address'],
  [{ hostname: "[::1]", port: 80 }, 'Cannot read fallback: hostname "[::1]" is not a name or address'],
  [{ hostname: "a b", port: 80 }, 'Cannot read fallback: hostname "a b" is not a name or address'],
  [{ hostname: "fe80::1%", port: 80 }, 'Cannot read fallback: hostname "fe80::1%" is not a name or address'],
  [{ hostname: "fe80::1%a\0", port: 80 }, 'Cannot read fallback: hostname "fe80::1%a\\u0000" is not a name or address'],
  [{ hostname: "256.0.0.1", port: 80 }, 'Cannot read fallback: hostname "256.0.0.1" is not a name or address'],
  [{ hostname: "a..b", port: 80 }, 'Cannot read fallback: hostname "a..b" is not a name or address'],
  [{ path: "/x", port: 80 }, "Cannot read fallback: it has a path and a port, which is another address"],
  [{ path: "/x", hostname: "::1" }, "Cannot read fallback: it has a path and a hostname, which is another address"],
  [{ hostname: 1, port: 80 }, "Cannot read fallback: hostname 1 is not a name or address"],
  [{ path: "" }, 'Cannot read fallback: path "" begins with neither "/" nor "@"'],
  [{ path: "foo.sock" }, 'Cannot read fallback: path "foo.sock" begins with neither "/" nor "@"'],
  [{ path: undefined }, 'Cannot read fallback: path undefined begins with neither "/" nor "@"'],
  [{ path: "@" }, `Cannot read address "@": the abstract name is empty; ${allowed}`],
  [{ path: "/a\0" }, `Cannot read address "/a\\u0000": it contains a NUL; ${allowed}`],
  [{ path: `${path107}a` }, `Cannot read address "${path107}a": it has more than 107 bytes; ${allowed}`],
];

for (const [fallback, message] of refusedFallbacks) {
  test(`fallbackAddress() refuses ${String(JSON.stringify(fallback)).slice(0, 60)}`, () => {
    assert.throws(() => fallbackAddress(fallback as Fallback), typeError(message));
  });
}

test("formatAddress() says that a socket has no name", () => {
  assert.equal(formatAddress(unix("")), "(unnamed)");
});
