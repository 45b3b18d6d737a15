import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ask } from "./clients.ts";
import { eachVariant, setUp, type Stage, type Variant } from "./variants.ts";

const ADDRESSES = {
  tcp: { transport: "tcp", hostname: "127.0.0.1", port: 7007 },
  unix: { transport: "unix", path: "/run/foobar.sk" },
};
const BACKLOG = 7;

eachVariant({
  "a daemon tells its two sockets apart by name": (stage) => twoSockets(stage, true),
  "a daemon with systemd's network, too": (stage) => twoSockets(stage, false),
  "a child of a daemon gets neither the variables nor the descriptors": child,
});

type Transport = keyof typeof ADDRESSES;
/** Of both sockets, how many clients may wait. */
type Backlogs = Record<Transport, number>;

async function twoSockets(stage: Stage, isPrivate: boolean): Promise<void> {
  const { lab } = stage;
  await setUp(stage, { script: "test/systemd/fixtures/two.ts", service: network(isPrivate), socket: named("unix") });
  const lines = ["[Socket]", "ListenStream=127.0.0.1:7007", "Service=foobar.service", ...named("tcp")];
  lab.writeUnit("foobar-tcp.socket", lines.join("\n"));
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", "foobar-tcp.socket"]);
  assert.deepEqual(await backlogs(stage), { tcp: BACKLOG, unix: BACKLOG }, "before");

  const unnamed = { transport: "unix", path: "" };
  // The runtime alone, Deno without FFI, does not tell the path of an inherited socket.
  const address = stage.variant.ffi ? ADDRESSES.unix : unnamed;
  const unix = { name: "unix", activated: true, address, localAddress: address, remoteAddress: unnamed };
  assert.deepEqual(JSON.parse(await ask(stage.path, "")), unix);
  // One port for each run: the last connection may be in TIME_WAIT.
  const port = isPrivate ? 7008 : 7009;
  const remoteAddress = { ...ADDRESSES.tcp, port };
  const tcp = { name: "tcp", activated: true, address: ADDRESSES.tcp, localAddress: ADDRESSES.tcp, remoteAddress };
  const client = ["socat", "-t5", "-", `TCP:127.0.0.1:7007,sourceport=${port}`];
  assert.deepEqual(JSON.parse(await lab.must(client)), tcp);

  const expected = expectedBacklogs(stage, isPrivate);
  assert.deepEqual(await backlogs(stage), expected, "during");
  await lab.must(["systemctl", "stop", "foobar.service"]);
  assert.deepEqual(await backlogs(stage), expected, "after");
}

function named(name: Transport): string[] {
  return [`FileDescriptorName=${name}`, `Backlog=${BACKLOG}`];
}

/** The families that the unit files name for TCP, or the network that lets a daemon look up the length of a queue. */
function network(isPrivate: boolean): string[] {
  const families = ["AF_UNIX", "AF_INET", "AF_INET6", ...isPrivate ? [] : ["AF_NETLINK"]];
  return ["RestrictAddressFamilies=", `RestrictAddressFamilies=${families.join(" ")}`, `PrivateNetwork=${isPrivate}`];
}

/**
 * Deno and Bun put a Unix socket in the place of one of their own, which leaves its queue alone, and Bun and Node put the length back
 * where they can read it. Where neither works, the queue is the longest there is.
 */
function expectedBacklogs({ variant, lab }: Stage, isPrivate: boolean): Backlogs {
  const longest = Number(readFileSync(`${lab.root}/proc/sys/net/core/somaxconn`, "utf8"));
  if (!variant.ffi) return { tcp: longest, unix: longest };
  return { tcp: BACKLOG, unix: variant.runtime === "node" && isPrivate ? longest : BACKLOG };
}

/** ss(8) shows it as the Send-Q of a listening socket. */
async function backlogs({ lab }: Stage): Promise<Backlogs> {
  const length = (line: string) => Number(/LISTEN +\d+ +(\d+) /.exec(line)?.[1]);
  return {
    tcp: length(await lab.must(["ss", "-Hltn", "sport = 7007"])),
    unix: length(await lab.must(["ss", "-Hlx", "src = /run/foobar.sk"])),
  };
}

async function child(stage: Stage): Promise<void> {
  await setUp(stage, { script: "test/systemd/fixtures/child.ts", denoFlags: "--allow-run=/bin/sh" });
  const found = await ask(stage.path, "");
  assert.match(found, /^PATH=/m);
  assert.doesNotMatch(found, /LISTEN_/);
  assert.match(found, /^.* 1 -> /m);
  const sockets = found.match(/^.* (?:[3-9]|\d\d+) -> socket:.*$/gm) ?? [];
  assert.equal(sockets.length, leaks(stage.variant), found);
}

/** Without FFI nobody sets FD_CLOEXEC on Deno, and what is inherited reaches each child. */
function leaks({ ffi }: Variant): number {
  return ffi ? 0 : 1;
}
