import type { LibcMissing } from "../../src/host.ts";
import { errnoName } from "../../src/linux/constants.ts";
import { secretName } from "../../src/linux/sockaddr.ts";
import { createNotify } from "../../src/notify/api.ts";
import {
  type DatagramWay,
  messageLibcs,
  type NotifyHost,
  type NotifyParts,
  type ProgramWay,
} from "../../src/notify/host.ts";
import type { NotifyApi } from "../../src/notify/types.ts";
import { runtimePath } from "../shared/common.ts";
import { deno, isGranted } from "./types.ts";

/** Deno has no code for some errors, but their number in the text. */
function withCode(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string };
  const number = /\(os error (\d+)\)/.exec(message)?.[1];
  if (code !== undefined || number === undefined) return error;
  return Object.assign(new Error(message, { cause: error }), { code: errnoName(-Number(number)) });
}

/** A socket for each message: whose it is, the service manager learns from the kernel, not from its name. */
async function sendDatagram(address: string, payload: Uint8Array): Promise<void> {
  const { listenDatagram } = deno();
  try {
    const own = runtimePath(secretName());
    const socket = listenDatagram!({ transport: "unixpacket", path: own });
    try {
      await socket.send(payload, { transport: "unixpacket", path: runtimePath(address) });
    } finally {
      socket.close();
    }
  } catch (error) {
    throw withCode(error);
  }
}

function datagram(address: string): DatagramWay | LibcMissing {
  if (deno().listenDatagram === undefined) return { missing: "Deno sends datagrams with --unstable-net" };
  const missing = ["--allow-net", `--allow-write=${address}`];
  if (isGranted({ name: "net" })) missing.shift();
  if (address.startsWith("@") || isGranted({ name: "write", path: address })) missing.pop();
  return missing.length === 0 ? { send: sendDatagram } : { missing: `Deno sends datagrams with ${missing.join(" ")}` };
}

const program = "systemd-notify";

async function run(args: readonly string[], env: object): Promise<{ status: number; stderr: string }> {
  const options = { args, env, stdin: "null", stdout: "null", stderr: "piped" };
  const { code, stderr } = await new (deno().Command)(program, options).output();
  return { status: code, stderr: new TextDecoder().decode(stderr) };
}

/** Of another user than root nobody says: systemctl(1) would need a permission of its own. */
function isHeard(): Promise<boolean | undefined> {
  const isRoot = isGranted({ name: "sys", kind: "uid" }) && deno().uid() === 0;
  return Promise.resolve(isRoot ? true : undefined);
}

function systemdNotify(): ProgramWay | LibcMissing {
  if (isGranted({ name: "run", command: program })) return { run, isHeard };
  return { missing: `Deno runs systemd-notify with --allow-run=${program}` };
}

/** Deno as the service manager's protocol sees it. */
export function denoNotify(parts: NotifyParts): NotifyHost {
  return {
    ...parts.service,
    ...parts.host,
    ...messageLibcs(parts),
    // /proc/uptime takes --allow-all. This is sysinfo(2), which rounds up.
    uptime: () =>
      isGranted({ name: "sys", kind: "osUptime" })
        ? deno().osUptime()
        : { missing: "Deno knows the time since boot with --allow-ffi or --allow-sys=osUptime" },
    datagram,
    systemdNotify,
    now: () => performance.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      deno().unrefTimer(timer);
      return () => clearTimeout(timer);
    },
  };
}

/** The service manager's protocol on Deno. */
export function notifyOf(parts: NotifyParts): NotifyApi {
  return createNotify(denoNotify(parts));
}
