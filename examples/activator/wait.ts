// Waits until a client waits at the listening socket 3, and ends with status 0. The kernel wakes it up, and it accepts nothing.
//
// It is a process of its own because poll(2) blocks, and a runtime would watch a socket only by accepting its connections.
import { exit } from "../../mod.ts";
import { requireLibc } from "./host.ts";

const EINTR = 4;
const POLLIN = 1;
const listenerFd = 3;
/** A pipe from the activator, which nobody writes to: it breaks when the activator is gone, however that ended. */
const activatorFd = 0;

function wait(): number {
  const libc = requireLibc();
  // Two of struct pollfd { int fd; short events; short revents; }. A broken pipe is reported without being asked for.
  const fds = new Uint8Array(16);
  const view = new DataView(fds.buffer);
  view.setInt32(0, listenerFd, true);
  view.setInt16(4, POLLIN, true);
  view.setInt32(8, activatorFd, true);
  let result: number;
  do result = libc.poll(fds, 2, -1); while (result === -EINTR);
  if (result < 0) throw new Error(`Cannot wait for a connection: errno ${-result}`);
  return (view.getInt16(6, true) & POLLIN) !== 0 ? 0 : 1;
}

try {
  exit(wait());
} catch (error) {
  console.error((error as Error).message);
  exit(1);
}
