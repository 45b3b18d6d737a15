import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEpollInfo } from "../../src/linux/proc.ts";

test("parseEpollInfo() reads the tfd: lines of the kernel and no other", () => {
  const text = "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1057\n" +
    "tfd:       10 events:       19 data: ffffffffffffffff  pos:0 ino:10f5a3 sdev:8\n" +
    "tfd:        6 events: 80002005 data:     5588aabbccd0  pos:0 ino:2c sdev:e\n";
  const ten = { fd: 10, events: 0x19, data: 0xffffffffffffffffn, inode: 0x10f5a3 };
  assert.deepEqual(parseEpollInfo(text, 10), [ten]);
  assert.deepEqual(parseEpollInfo(text, 6), [{ fd: 6, events: 0x80002005, data: 0x5588aabbccd0n, inode: 0x2c }]);
  assert.deepEqual(parseEpollInfo(text + text, 10), [ten, ten]);
  for (const fd of [1, 0, 106]) assert.deepEqual(parseEpollInfo(text, fd), []);
  assert.deepEqual(parseEpollInfo("", 6), []);
  assert.deepEqual(parseEpollInfo("tfd: 6 events: 1", 6), []);
});
