/**
 * fd3 for Bun.
 *
 * @module
 */
import { listenFds as coreListenFds } from "../src/activation/table.ts";
import { createService } from "../src/daemon/service.ts";
import type { ServiceApi } from "../src/daemon/service_types.ts";
import { type Adapter, listenWith } from "../src/listen.ts";
import { facade } from "../src/notify/facade.ts";
import type { NotifyApi } from "../src/notify/types.ts";
import { terminatedBy } from "../src/terminated.ts";
import type { Listener, ListenFd, ListenFdsOptions, ListenOptions } from "../src/types.ts";
import { host } from "./bun/host.ts";
import { openFunctions } from "./bun/libc.ts";
import { adoptBun, openBun, openNative } from "./bun/listener.ts";
import { adoptNative } from "./bun/native.ts";
import type { BunListener, BunSocketHandlers } from "./bun/types.ts";
import { onProcessSignals, processGlobal } from "./shared/process_host.ts";
import { processService } from "./shared/process_service.ts";

export * from "../src/errors.ts";
export type * from "../src/daemon/service_types.ts";
export type * from "../src/notify/types.ts";
export type * from "../src/types.ts";
export type { BunListener, BunSocket, BunSocketHandlers } from "./bun/types.ts";

const adapter: Adapter<Listener> = { host, adopt: adoptBun, open: openBun };

/** See {@linkcode Api.listenFds}. */
export function listenFds(options?: ListenFdsOptions): ListenFd[] {
  return coreListenFds(host, options);
}

/** See {@linkcode Api.listen}. */
export function listen(options: ListenOptions = {}): Promise<Listener> {
  return listenWith(adapter, options);
}

/** Options of {@linkcode listenNative}: those of `listen()` and of `Bun.listen()`. */
export interface ListenNativeOptions extends ListenOptions {
  /** The handlers, as for `Bun.listen()`. */
  readonly socket: BunSocketHandlers;
  /** As for `Bun.listen()`. */
  readonly allowHalfOpen?: boolean;
  /** As for `Bun.listen()`. */
  readonly data?: unknown;
  /** As for `Bun.listen()`. */
  readonly tls?: unknown;
}

/**
 * What `Bun.listen()` gives, on the inherited socket or on the fallback address: for code that is written for Bun's own API.
 *
 * @throws {Fd3Error} As `listen`.
 * @param options `socket` as for `Bun.listen()`, the rest as for `listen`.
 */
export function listenNative(options: ListenNativeOptions): Promise<BunListener> {
  const { name: _name, fallback: _fallback, mode: _mode, keepEnv: _keepEnv, ...own } = options;
  const native: Adapter<BunListener> = {
    host,
    adopt: (choice) => adoptNative(choice, own).native,
    open: (address, mode) => openNative(address, mode, own),
  };
  return listenWith(native, options);
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

const hosts = { host, service: processService, open: openFunctions };
const notifying: NotifyApi = facade(() => import("./bun/notify.ts"), () => hosts);
const service: ServiceApi = createService(hosts);

/** See {@linkcode NotifyApi.notify}. */
export const notify: NotifyApi["notify"] = notifying.notify;
/** See {@linkcode NotifyApi.barrier}. */
export const barrier: NotifyApi["barrier"] = notifying.barrier;
/** See {@linkcode NotifyApi.storeFd}. */
export const storeFd: NotifyApi["storeFd"] = notifying.storeFd;
/** See {@linkcode NotifyApi.removeFd}. */
export const removeFd: NotifyApi["removeFd"] = notifying.removeFd;
/** See {@linkcode NotifyApi.dropFd}. */
export const dropFd: NotifyApi["dropFd"] = notifying.dropFd;
/** See {@linkcode NotifyApi.watchdog}. */
export const watchdog: NotifyApi["watchdog"] = notifying.watchdog;
/** See {@linkcode NotifyApi.capabilities}. */
export const capabilities: NotifyApi["capabilities"] = notifying.capabilities;
/** See {@linkcode ServiceApi.takeFd}. */
export const takeFd: ServiceApi["takeFd"] = service.takeFd;
/** See {@linkcode ServiceApi.unclaimedFds}. */
export const unclaimedFds: ServiceApi["unclaimedFds"] = service.unclaimedFds;
/** See {@linkcode ServiceApi.booted}. */
export const booted: ServiceApi["booted"] = service.booted;
/** See {@linkcode ServiceApi.log}. */
export const log: ServiceApi["log"] = service.log;
/** See {@linkcode ServiceApi.credential}. */
export const credential: ServiceApi["credential"] = service.credential;
/** See {@linkcode ServiceApi.directories}. */
export const directories: ServiceApi["directories"] = service.directories;
