import type { ServerWays } from "../../src/attach/attach.ts";
import { openServer } from "./net_fallback.ts";
import { adoptServer } from "./net_listener.ts";

export { attachServer } from "../../src/attach/attach.ts";

/** On Node and Deno, whose servers listen on a descriptor by themselves. */
export const ways: ServerWays = {
  adopt: (server, host, choice) => adoptServer(server, host, choice, `attach to fd ${choice.fd}`),
  open: (server, host, address, access) => openServer(host, server, address, access),
};
