// Reads what is sent to a datagram socket, and nothing else: `read_datagrams.ts PATH`. Descriptors that come along are closed by the kernel.
import process from "node:process";
import { hasLibc } from "../../../src/host.ts";
import { AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM } from "../../../src/linux/constants.ts";
import { encodeUnix } from "../../../src/linux/sockaddr.ts";
import { nodeHost } from "../../../runtimes/node/host.ts";

const libc = nodeHost.libc();
if (!hasLibc(libc)) throw new Error(libc.missing);
const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
const address = encodeUnix(process.argv[2]);
if (fd < 0 || libc.bind(fd, address, address.length) < 0) throw new Error(process.argv[2]);
const buffer = new Uint8Array(4096);
// Whoever started it kills it.
while (libc.read(fd, buffer, buffer.length) >= 0);
