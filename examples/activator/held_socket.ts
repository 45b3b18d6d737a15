import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AF_UNIX, errnoName, SOCK_CLOEXEC, SOCK_STREAM } from "../../src/linux/constants.ts";
import { encodeUnix } from "../../src/linux/sockaddr.ts";
import { requireLibc } from "./host.ts";

/** How many clients may wait. systemd's own default is 4096 (SOMAXCONN). */
const backlog = 128;

/** A listening socket whose clients wait until somebody else accepts them: what a .socket unit has in systemd. */
export interface HeldSocket {
  readonly fd: number;
  readonly path: string;
  /** Closes it and removes its folder. */
  release(): void;
}

function check(result: number, what: string): number {
  if (result < 0) throw new Error(`Cannot ${what}: ${errnoName(result)}`);
  return result;
}

/** Makes the socket in a temporary folder that only its owner can enter. */
export function holdSocket(): HeldSocket {
  const libc = requireLibc();
  // With FD_CLOEXEC, only the child that is given the socket has it.
  const fd = check(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket");
  const folder = mkdtempSync(join(tmpdir(), "foobard-"));
  const release = () => {
    libc.close(fd);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const path = join(folder, "foobar.sk");
    const address = encodeUnix(path);
    check(libc.bind(fd, address, address.length), `bind ${path}`);
    check(libc.listen(fd, backlog), `listen on ${path}`);
    return { fd, path, release };
  } catch (error) {
    release();
    throw error;
  }
}
