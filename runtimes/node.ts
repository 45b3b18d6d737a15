/**
 * fd3 for Node.
 *
 * @module
 */
import { listenFds as coreListenFds } from "../src/activation/table.ts";
import { longestBacklog } from "../src/linux/backlog.ts";
import { type Adapter, listenWith } from "../src/listen.ts";
import { terminatedBy } from "../src/terminated.ts";
import type { Listener, ListenFd, ListenFdsOptions, ListenOptions } from "../src/types.ts";
import { host } from "./node/host.ts";
import { inheritedBacklog } from "./shared/backlog.ts";
import { addressOf } from "./shared/choice.ts";
import { adoptNet, openNet } from "./shared/net_listener.ts";
import { onProcessSignals, processGlobal } from "./shared/process_host.ts";

export * from "../src/errors.ts";
export type * from "../src/types.ts";
export { attach, type Attached, type AttachOptions } from "./node/attach.ts";

const adapter: Adapter<Listener> = {
  host,
  adopt(choice) {
    const address = addressOf(choice);
    const backlog = inheritedBacklog(host, choice) ?? longestBacklog;
    return adoptNet({ fd: choice.fd, name: choice.name, backlog, address });
  },
  open: openNet,
};

/** See {@linkcode Api.listenFds}. */
export function listenFds(options?: ListenFdsOptions): ListenFd[] {
  return coreListenFds(host, options);
}

/** See {@linkcode Api.listen}. */
export function listen(options: ListenOptions = {}): Promise<Listener> {
  return listenWith(adapter, options);
}

/** See {@linkcode Api.terminated}. */
export const terminated: () => AbortSignal = terminatedBy(onProcessSignals);

/** See {@linkcode Api.args}. */
export function args(): readonly string[] {
  return processGlobal().argv.slice(2);
}

/** See {@linkcode Api.exit}. */
export function exit(status: number): never {
  return processGlobal().exit(status);
}
