import { listenFds } from "../activation/table.ts";
import { claimFd, isTaken, unclaimFd } from "../activation/take_fd.ts";
import { Fd3Error } from "../errors.ts";
import { hasLibc } from "../host.ts";
import { errnoError, systemError } from "../system_error.ts";
import type { ListenFd } from "../types.ts";
import type { NotifyHost } from "./host.ts";
import { notify } from "./notify.ts";
import { isFdName } from "./state.ts";
import type { NotifyEnvOptions } from "./types.ts";

function close(host: NotifyHost, fd: number): void {
  const action = `drop fd ${fd}`;
  const libc = host.libc();
  if (hasLibc(libc)) {
    const result = libc.close(fd);
    if (result < 0) throw systemError(action, errnoError(result));
    return;
  }
  if (host.closeFd === undefined) throw new Fd3Error("ERR_FD3_FFI", `Cannot ${action}: ${libc.missing}`);
  try {
    host.closeFd(fd);
  } catch (error) {
    throw systemError(action, error);
  }
}

/** See {@linkcode NotifyApi.dropFd}. */
export function dropFd(
  host: NotifyHost,
  { fd }: ListenFd,
  options: NotifyEnvOptions = {},
): boolean | Promise<boolean> {
  const passed = listenFds(host, options).find((entry) => entry.fd === fd);
  if (passed === undefined) {
    throw new Fd3Error("EBADF", `Cannot drop fd ${fd}: it was not passed`);
  }
  if (isTaken(host, fd)) {
    throw new Fd3Error("ERR_FD3_TAKEN", `Cannot drop fd ${fd}: it was taken before`);
  }
  claimFd(host, fd);
  try {
    close(host, fd);
  } catch (error) {
    unclaimFd(host, fd);
    throw error;
  }
  // A name that no store takes is a socket unit's.
  if (!isFdName(passed.name)) return false;
  return notify(host, { fdStoreRemove: passed.name }, options);
}
