import { listenFds } from "./activation/table.ts";
import { takeFd, unclaimedFds } from "./activation/take_fd.ts";
import type { Api } from "./api.ts";
import type { DaemonApi } from "./daemon/types.ts";
import { listenAllWith } from "./listen.ts";
import { facade } from "./notify/facade.ts";
import type { NotifyApi } from "./notify/types.ts";
import { checkRuntime, loadAttach, loadHttp, type Runtime } from "./runtime.ts";
import { booted, credential, directories } from "./service/surroundings.ts";
import { log } from "./service/log.ts";
import type { ServiceApi } from "./service/types.ts";
import type { Listener } from "./types.ts";

/** What every entry point has. */
export interface Fd3 extends Api, DaemonApi, NotifyApi, ServiceApi {}

/** Refuses where this is another runtime. */
type Check = (action: string) => void;

function listening(runtime: Runtime, check: Check): Pick<Api, "listenFds" | "listen" | "serve" | "attach"> {
  const { host, streams } = runtime;
  return {
    listenFds(options) {
      check("list the descriptors");
      return listenFds(host, options);
    },
    async listen(options = {}) {
      check("listen");
      const undo = (listener: Listener) => listener.close();
      const listeners = await listenAllWith({ host, ...streams, undo }, options);
      return listeners.length === 1 ? listeners[0] : (await import("./several.late.ts")).joined(listeners);
    },
    async serve(handler, options = {}) {
      check("serve");
      const { adapter, serveWith } = await loadHttp(runtime);
      return await serveWith(adapter, handler, options);
    },
    async attach(server, options = {}) {
      check("attach");
      const { ways, attachServer } = await loadAttach(runtime);
      return await attachServer(runtime, ways, server, options);
    },
  };
}

function ownProcess(runtime: Runtime, check: Check): Pick<Api, "terminated" | "args" | "exit"> {
  let signal: AbortSignal | undefined;
  return {
    terminated() {
      check("wait for signals");
      if (signal === undefined) {
        const controller = new AbortController();
        signal = controller.signal;
        runtime.onTermination(() => controller.abort());
      }
      return signal;
    },
    args() {
      check("read the command line");
      return runtime.args();
    },
    exit(status) {
      check("exit");
      return runtime.exit(status);
    },
  };
}

function surroundings(runtime: Runtime, check: Check): ServiceApi {
  const { host, service } = runtime;
  return {
    takeFd(name, options) {
      check("take a descriptor");
      return takeFd(host, name, options);
    },
    unclaimedFds(options) {
      check("list the descriptors");
      return unclaimedFds(host, options);
    },
    booted() {
      check("look for systemd");
      return booted(service);
    },
    log(priority, message) {
      check("log");
      log(service, priority, message);
    },
    credential(name) {
      check("read a credential");
      return credential(service, name);
    },
    directories(kind) {
      check("list directories");
      return directories(service, kind);
    },
  };
}

/** The service manager's protocol is loaded on the first call, and refuses then. */
function notifying(runtime: Runtime, check: Check): NotifyApi {
  const load: Runtime["loadNotify"] = async () => {
    check("notify the service manager");
    return await runtime.loadNotify();
  };
  return facade(load, () => runtime);
}

/**
 * The whole API on one runtime.
 *
 * @param runtime What it asks of that.
 */
export function createFd3(runtime: Runtime): Fd3 {
  const check: Check = (action) => checkRuntime(runtime, action);
  const rest = {
    ...listening(runtime, check),
    ...ownProcess(runtime, check),
    ...surroundings(runtime, check),
    ...notifying(runtime, check),
  };
  return {
    ...rest,
    async daemon(setup, options = {}) {
      check("start the daemon");
      // In one file: a service that only listens does not wait for it.
      const { startDaemon } = await import("./daemon/daemon.late.ts");
      await startDaemon(runtime, rest, setup, options);
    },
  };
}
