import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ask } from "./clients.ts";
import { eachVariant, setUp, type Stage, type Variant } from "./variants.ts";

const ADDRESSES = {
  tcp: { transport: "tcp", hostname: "127.0.0.1", port: 7007 },
  unix: { transport: "unix", path: "/run/foobar.sk" },
};
const BACKLOG = 7;
/** What a daemon may do besides using what it inherited. */
const NETWORKS = {
  private: ["RestrictAddressFamilies=AF_UNIX AF_INET"],
  shared: ["PrivateNetwork=no", "RestrictAddressFamilies=AF_UNIX AF_INET AF_NETLINK"],
  none: ["RestrictAddressFamilies=none"],
};

eachVariant("foobar", {
  "a daemon tells its two sockets apart by name": (stage) => twoSockets(stage, "private"),
  "a daemon in the network of its sockets, too": (stage) => twoSockets(stage, "shared"),
  "a daemon that may make no socket, too": (stage) => twoSockets(stage, "none"),
  "a daemon serves the IPv4, IPv6 and Unix sockets of its unit as one": allSockets,
  "a child of a daemon gets neither the variables nor the descriptors": child,
});

type Transport = keyof typeof ADDRESSES;
/** Of both sockets, how many clients may wait. */
type Backlogs = Record<Transport, number>;
type Network = keyof typeof NETWORKS;

async function twoSockets(stage: Stage, network: Network): Promise<void> {
  const { lab } = stage;
  const service = ["RestrictAddressFamilies=", ...NETWORKS[network]];
  await setUp(stage, { script: "test/systemd/fixtures/two.ts", service, socket: named("unix") });
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
  const port = 7010 + Object.keys(NETWORKS).indexOf(network);
  const remoteAddress = { ...ADDRESSES.tcp, port };
  const tcp = { name: "tcp", activated: true, address: ADDRESSES.tcp, localAddress: ADDRESSES.tcp, remoteAddress };
  // It does not half-close: what node:net of Deno 2.9 writes to a client that sent its end and nothing else is lost on TCP (EPIPE).
  const client = ["socat", "-u", `TCP:127.0.0.1:7007,sourceport=${port}`, "-"];
  assert.deepEqual(JSON.parse(await lab.must(client)), tcp);

  const expected = expectedBacklogs(stage, network);
  assert.deepEqual(await backlogs(stage), expected, "during");
  await lab.must(["systemctl", "stop", "foobar.service"]);
  assert.deepEqual(await backlogs(stage), expected, "after");
}

async function allSockets(stage: Stage): Promise<void> {
  const { lab } = stage;
  const service = ["RestrictAddressFamilies=", ...NETWORKS.private];
  const socket = ["ListenStream=127.0.0.1:7007", "ListenStream=[::1]:7007"];
  await setUp(stage, { script: "test/systemd/fixtures/all.ts", service, socket });
  const path = stage.variant.ffi ? ADDRESSES.unix.path : "";
  const all = [{ transport: "unix", path }, ADDRESSES.tcp, { ...ADDRESSES.tcp, hostname: "::1" }];
  assert.deepEqual(JSON.parse(await ask(stage.path, "")), all);
  for (const address of ["TCP4:127.0.0.1:7007", "TCP6:[::1]:7007"]) {
    assert.deepEqual(JSON.parse(await lab.must(["socat", "-u", address, "-"])), all);
  }
  await lab.must(["systemctl", "stop", "foobar.service"]);
  // The sockets are systemd's: the next client starts the service again.
  assert.deepEqual(JSON.parse(await lab.must(["socat", "-u", "TCP6:[::1]:7007", "-"])), all);
}

function named(name: Transport): string[] {
  return [`FileDescriptorName=${name}`, `Backlog=${BACKLOG}`];
}

/**
 * The length of a TCP socket's queue can be read everywhere, so it is kept. That of a Unix socket is known in its own network alone. Deno
 * and Bun need not know it: a socket in the place of one of their own keeps its queue. Where neither works, and
 * for Deno without FFI, it is the longest there is.
 */
function expectedBacklogs({ variant, lab }: Stage, network: Network): Backlogs {
  const longest = Number(readFileSync(`${lab.root}/proc/sys/net/core/somaxconn`, "utf8"));
  const isKnown = network === "shared" && variant.runtime !== "deno";
  const isUntouched = network !== "none" && variant.runtime !== "node";
  return { tcp: BACKLOG, unix: variant.ffi && (isKnown || isUntouched) ? BACKLOG : longest };
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
  const [found, inherited] = (await ask(stage.path, "")).split("--- Bun.spawn() by itself\n");
  assert.match(found, /^PATH=/m);
  assert.doesNotMatch(found, /LISTEN_/);
  // To a child without `env`, Bun gives the environment that it was started with (oven-sh/bun#34972). The PID tells the child
  // that these are not for it.
  if (inherited !== undefined) assert.match(inherited, /^LISTEN_PID=/m);
  assert.match(found, /^.* 1 -> /m);
  const sockets = found.match(/^.* (?:[3-9]|\d\d+) -> socket:.*$/gm) ?? [];
  assert.equal(sockets.length, leaks(stage.variant), found);
}

/** Without FFI nobody sets FD_CLOEXEC on Deno, and what is inherited reaches each child. */
function leaks({ ffi }: Variant): number {
  return ffi ? 0 : 1;
}
