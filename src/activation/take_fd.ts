import { Fd3Error } from "../errors.ts";
import type { Host } from "../host.ts";
import { quoted } from "../quoted.ts";
import type { ListenFd, ListenFdsOptions } from "../types.ts";
import { named } from "./choose.ts";
import { listenFds, table } from "./table.ts";

const keep = { keepEnv: true };

/** Whether a descriptor was taken, by whomever. */
export function isTaken(host: Host, fd: number): boolean {
  return table(host, keep).taken.has(fd);
}

/** Takes a descriptor out of what `listen()` looks at. */
export function claimFd(host: Host, fd: number): void {
  const { taken, claimed } = table(host, keep);
  taken.add(fd);
  claimed.add(fd);
}

/** Undoes {@linkcode claimFd}. */
export function unclaimFd(host: Host, fd: number): void {
  const { taken, claimed } = table(host, keep);
  taken.delete(fd);
  claimed.delete(fd);
}

/** See {@linkcode ServiceApi.unclaimedFds}. */
export function unclaimedFds(host: Host, options?: ListenFdsOptions): ListenFd[] {
  return listenFds(host, options).filter(({ fd }) => !isTaken(host, fd));
}

/** See {@linkcode ServiceApi.takeFd}. */
export function takeFd(host: Host, name: string, options?: ListenFdsOptions): number | undefined {
  if (typeof name !== "string") {
    throw new TypeError(`Cannot take a descriptor: the name is ${String(name)}, not a string`);
  }
  const found = named(listenFds(host, options), name);
  if (found.length === 0) return undefined;
  const free = found.find(({ fd }) => !isTaken(host, fd));
  if (free === undefined) {
    const list = found.map((entry) => `fd ${entry.fd} ${quoted(entry.name)} (taken before)`).join(", ");
    throw new Fd3Error("ERR_FD3_TAKEN", `Cannot take a descriptor twice: received were ${list}`);
  }
  claimFd(host, free.fd);
  return free.fd;
}
