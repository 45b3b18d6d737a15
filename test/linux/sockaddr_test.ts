import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSockaddr, encodeUnix, formatIpv6 } from "../../src/linux/sockaddr.ts";
import { kindCode, kindText } from "../../src/linux/kind_text.ts";
import { describe, type DescriptorKind, isStreamListener } from "../../src/linux/socket.ts";
import type { Address } from "../../src/types.ts";
import { plainFile, tcpSocket } from "../fixtures/fake_files.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";

const groups = (...numbers: number[]) => Uint8Array.from(numbers.flatMap((n) => [n >> 8, n & 255]));
const bytes = (text: string) => new TextEncoder().encode(text);

const ipv6: readonly (readonly [address: Uint8Array, text: string, rule: string])[] = [
  [groups(0, 0, 0, 0, 0, 0, 0, 0), "::", "the unspecified address"],
  [groups(0, 0, 0, 0, 0, 0, 0, 1), "::1", "a run at the start"],
  [groups(0xfe80, 0, 0, 0, 0, 0, 0, 0), "fe80::", "a run at the end"],
  [groups(1, 0, 0, 0, 0, 0, 0, 2), "1::2", "a run in the middle"],
  [groups(0x2001, 0xdb8, 1, 2, 3, 4, 5, 6), "2001:db8:1:2:3:4:5:6", "RFC 5952 4.1, no leading zeros"],
  [groups(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), "2001:db8:0:1:1:1:1:1", "RFC 5952 4.2.2, one zero group stays"],
  [groups(0x2001, 0, 0, 1, 0, 0, 0, 1), "2001:0:0:1::1", "RFC 5952 4.2.3, the longest run"],
  [groups(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1", "RFC 5952 4.2.3, the first of two equal runs"],
  [groups(0, 0, 1, 0, 0, 0, 0, 0), "0:0:1::", "the later run is longer"],
  [groups(0xABCD, 0xEF, 1, 1, 1, 1, 1, 1), "abcd:ef:1:1:1:1:1:1", "RFC 5952 4.3, lower case"],
  [groups(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), "::ffff:127.0.0.1", "RFC 5952 5, IPv4-mapped"],
  [groups(0, 0, 0, 0, 0, 0, 0x7f00, 1), "::7f00:1", "IPv4-compatible is not mapped"],
  [groups(0, 0, 0, 0, 1, 0xffff, 0x7f00, 1), "::1:ffff:7f00:1", "not mapped: a bit before it"],
];

for (const [address, text, rule] of ipv6) {
  test(`formatIpv6() writes ${text} (${rule})`, () => assert.equal(formatIpv6(address), text));
}

const in6 = (address: Uint8Array, scope = 0) =>
  Uint8Array.of(10, 0, 0x1f, 0x90, 1, 2, 3, 4, ...address, scope & 255, scope >> 8, 0, 0);
const un = (name: Uint8Array) => Uint8Array.of(1, 0, ...name);
const tcp = (hostname: string, port: number): Address => ({ transport: "tcp", hostname, port });
const unix = (path: string): Address => ({ transport: "unix", path });

const sockaddrs: readonly (readonly [what: string, bytes: Uint8Array, address: Address | undefined])[] = [
  ["IPv4", Uint8Array.of(2, 0, 0x1f, 0x90, 127, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9), tcp("127.0.0.1", 8080)],
  ["the highest IPv4", Uint8Array.of(2, 0, 255, 255, 255, 255, 255, 255), tcp("255.255.255.255", 65535)],
  ["IPv6", in6(groups(0, 0, 0, 0, 0, 0, 0, 1)), tcp("::1", 8080)],
  ["a link-local IPv6 with its scope", in6(groups(0xfe80, 0, 0, 0, 0, 0, 0, 1), 258), tcp("fe80::1%258", 8080)],
  ["IPv4-mapped", in6(groups(0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304)), tcp("::ffff:1.2.3.4", 8080)],
  ["a Unix path with its NUL", un(bytes("/run/a\0")), unix("/run/a")],
  ["a Unix path without NUL", un(bytes("/run/a")), unix("/run/a")],
  ["a Unix path of 108 bytes without NUL", un(bytes(`/${"a".repeat(107)}`)), unix(`/${"a".repeat(107)}`)],
  ["a Unix path and rubbish behind its NUL", un(bytes("/run/a\0rubbish")), unix("/run/a")],
  ["a Unix path that is not ASCII", un(bytes("/ü\0")), unix("/ü")],
  ["an abstract name", un(bytes("\0fd3")), unix("@fd3")],
  ["an abstract name with a NUL in it", un(bytes("\0a\0b")), unix("@a\0b")],
  ["an unnamed Unix socket", un(bytes("")), unix("")],
  ["vsock", Uint8Array.of(40, 0, 0, 0, 210, 4, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0), {
    transport: "vsock",
    cid: 2,
    port: 1234,
  }],
  ["vsock of any CID", Uint8Array.of(40, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0), {
    transport: "vsock",
    cid: 0xffffffff,
    port: 0xffffffff,
  }],
  ["netlink", Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), undefined],
  ["one byte", Uint8Array.of(1), undefined],
  ["nothing", Uint8Array.of(), undefined],
];

for (const [what, sockaddr, address] of sockaddrs) {
  test(`decodeSockaddr() reads ${what}`, () => {
    const storage = new Uint8Array(128).fill(0x58);
    storage.set(sockaddr);
    assert.deepEqual(decodeSockaddr(storage, sockaddr.length), address);
  });
}

test("decodeSockaddr() reads a part of a larger buffer", () => {
  const storage = new Uint8Array(200).fill(1);
  storage.set(sockaddrs[0][1], 33);
  assert.deepEqual(decodeSockaddr(storage.subarray(33, 161), 16), tcp("127.0.0.1", 8080));
});

for (const [path, sun_path] of [["/run/ü", "/run/ü\0"], ["@abc", "\0abc"]] as const) {
  test(`encodeUnix() makes of ${path} what decodeSockaddr() reads`, () => {
    const sockaddr = encodeUnix(path);
    assert.deepEqual(sockaddr, un(bytes(sun_path)));
    assert.deepEqual(decodeSockaddr(sockaddr, sockaddr.length), unix(path));
  });
}

const socket = (family: number, type: number, listening = false): DescriptorKind => {
  return { is: "socket", family, type, listening, address: undefined };
};

const kinds: readonly (readonly [kind: DescriptorKind, text: string, code: string])[] = [
  [{ is: "closed" }, "it is not open", "EBADF"],
  [{ is: "not a socket" }, "it is not a socket", "ENOTSOCK"],
  [socket(2, 1, true), "it is a listening IPv4 stream socket", "ERR_FD3_KIND"],
  [socket(10, 1, false), "it is a non-listening IPv6 stream socket", "ERR_FD3_KIND"],
  [socket(2, 2), "it is an IPv4 datagram socket", "ERR_FD3_KIND"],
  [socket(10, 2), "it is an IPv6 datagram socket", "ERR_FD3_KIND"],
  [socket(1, 2), "it is a Unix datagram socket", "ERR_FD3_KIND"],
  [socket(1, 5, true), "it is a listening Unix sequential packet socket", "ERR_FD3_KIND"],
  [socket(1, 5), "it is a non-listening Unix sequential packet socket", "ERR_FD3_KIND"],
  [socket(40, 1, true), "it is a listening vsock stream socket", "ERR_FD3_KIND"],
  [socket(2, 3), "it is an IPv4 raw socket", "ERR_FD3_KIND"],
  [socket(16, 3), "it is a family 16 raw socket", "ERR_FD3_KIND"],
  [socket(17, 10), "it is a family 17 type 10 socket", "ERR_FD3_KIND"],
];

for (const [kind, text, code] of kinds) {
  test(`kindText() says "${text}", and kindCode() ${code}`, () => {
    assert.equal(kindText(kind), text);
    assert.equal(kindCode(kind), code);
  });
}

test("isStreamListener() is true for a listening stream socket alone", () => {
  const yes = kinds.filter(([kind]) => isStreamListener(kind)).map(([, text]) => text);
  assert.deepEqual(yes, ["it is a listening IPv4 stream socket", "it is a listening vsock stream socket"]);
});

test("decodeSockaddr() makes nothing of half an address", () => {
  const whole = Uint8Array.of(10, 0, 0, 80, ...new Array(24).fill(0));
  assert.deepEqual(decodeSockaddr(whole, 28), tcp("::", 80));
  for (const length of [0, 1, 16, 27]) assert.equal(decodeSockaddr(whole.subarray(0, length), length), undefined);
});

test("describe() tells sockets, other descriptors and closed ones apart", () => {
  const kernel = new FakeKernel();
  kernel.put(3, tcpSocket(1, 80));
  kernel.put(4, tcpSocket(2, 81, 2));
  kernel.put(5, tcpSocket(3, 82, 1, false));
  kernel.put(6, plainFile());
  const before = kernel.snapshot();
  const inet = { is: "socket", family: 2 } as const;
  const expected: DescriptorKind[] = [
    { ...inet, type: 1, listening: true, address: tcp("127.0.0.1", 80) },
    { ...inet, type: 2, listening: false, address: tcp("127.0.0.1", 81) },
    { ...inet, type: 1, listening: false, address: tcp("127.0.0.1", 82) },
    { is: "not a socket" },
    { is: "closed" },
  ];
  assert.deepEqual([3, 4, 5, 6, 7].map((fd) => describe(kernel.libc, fd)), expected);
  assert.deepEqual(kernel.snapshot(), before);
});
