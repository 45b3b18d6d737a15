import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { SOCK_DGRAM, SOCK_SEQPACKET } from "../../src/linux/constants.ts";
import { activate, type ActivateOptions } from "../fixtures/activate.ts";
import { answerFrom, echoOnce } from "../fixtures/client.ts";
import { everything, runtime, variants } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";

const daemon = "test/fixtures/daemon.ts";

/** Starts the daemon, which must refuse, and gives what it wrote. */
async function refusal(options: Omit<ActivateOptions, "script">): Promise<string> {
  const started = activate({ script: daemon, ...options });
  try {
    assert.equal(await started.exited, 1, started.stdout());
    return started.stderr().trim();
  } finally {
    await started[Symbol.asyncDispose]();
  }
}

for (const variant of variants) {
  test(`listen() says that nothing was received (${variant.name})`, async () => {
    const cure = "start its socket unit (systemctl start NAME.socket), or give `fallback`";
    assert.equal(await refusal({ variant }), `Fd3Error ERR_FD3_NO_FDS: No file descriptors received: ${cure}`);
  });

  test(`listen() refuses more than one socket, and each stays put (${variant.name})`, async () => {
    const folder = tempFolder();
    const [a, b] = [holdUnix(`${folder.path}/a`), holdUnix(`${folder.path}/b`)];
    try {
      const text = await refusal({ variant, fds: [a.fd, b.fd], names: "a:b" });
      const kind = (path: string) => `it is a listening Unix stream socket${path}`;
      const [ofA, ofB] = variant.name === "Deno without FFI"
        ? ["of unknown kind", "of unknown kind"]
        : [kind(` on ${folder.path}/a`), kind(` on ${folder.path}/b`)];
      assert.equal(
        text,
        `Fd3Error ERR_FD3_TOO_MANY_FDS: Too many file descriptors received: fd 3 "a" (${ofA}), fd 4 "b" (${ofB}); ` +
          "choose by `name`, which gives the next one of that name at each call, or take all with `all: true`",
      );
      for (const [name, held] of [["a", a], ["b", b]] as const) {
        await using started = activate({
          variant,
          script: daemon,
          args: ["echo", JSON.stringify({ name })],
          fds: [a.fd, b.fd],
          names: "a:b",
        });
        await echoOnce(held.target, name);
        assert.equal(await started.terminate(), 0, started.stderr());
      }
    } finally {
      for (const held of [a, b, folder]) held[Symbol.dispose]();
    }
  });

  test(`listen() gives each of one name in turn, as the refusal says (${variant.name})`, async () => {
    using folder = tempFolder();
    using first = holdUnix(`${folder.path}/a`);
    using second = holdTcp();
    const passed = { variant, fds: [first.fd, second.fd], names: "web:web" };
    const cure =
      /; call it once for each with `name: "web"`, which gives the next one each time, or take all with `all: true`$/;
    assert.match(await refusal(passed), cure);
    const script = "test/activation/fixtures/each_of_name.ts";
    await using started = activate({ ...passed, script, args: ["web", "2"] });
    await started.line();
    for (const [i, { target }] of [first, second].entries()) {
      assert.equal(await answerFrom(target), String(i));
    }
    assert.equal(await started.terminate(), 0, started.stderr());
  });

  test(`listen() lists what was received if no name fits (${variant.name})`, async () => {
    using held = holdTcp();
    const text = await refusal({ variant, args: ["echo", '{"name":"http"}'], fds: [held.fd], names: "ftp" });
    assert.equal(
      text,
      'Fd3Error ERR_FD3_NAME: Cannot find a descriptor named "http": received were "ftp"; FileDescriptorName= of the socket unit sets it',
    );
  });

  test(`listen() does not touch what is no stream listener (${variant.name})`, async () => {
    using folder = tempFolder();
    using datagram = holdTcp({ type: SOCK_DGRAM });
    using unlistening = holdTcp({ backlog: null });
    using packets = holdUnix(`${folder.path}/p`, { type: SOCK_SEQPACKET });
    // Without libc nobody sees that a TCP socket is bound and not listening: the kernel's tables leave it out.
    const cases: [number | "ignore", string, string][] = [
      [datagram.fd, "ERR_FD3_KIND", "it is an IPv4 datagram socket; ListenDatagram= makes it: write ListenStream="],
      [
        packets.fd,
        "ERR_FD3_KIND",
        "it is a listening Unix sequential packet socket; ListenSequentialPacket= makes it: write ListenStream=",
      ],
      [
        "ignore",
        "ENOTSOCK",
        "it is not a socket; takeFd() gives descriptors of other kinds, such as those of ListenFIFO= and the store",
      ],
    ];
    if (variant.ffi) {
      cases.push([
        unlistening.fd,
        "ERR_FD3_KIND",
        "it is a non-listening IPv4 stream socket; with Accept=yes systemd passes connections: set Accept=no",
      ]);
    }
    for (const [fd, code, what] of cases) {
      const text = await refusal({ variant, fds: [fd as number], args: ["echo", '{"fallback":"127.0.0.1:0"}'] });
      // Without libc Deno cannot tell beforehand: node:net finds out.
      if (variant.name !== "Deno without FFI") {
        assert.equal(text, `Fd3Error ${code}: Cannot adopt fd 3 as a stream listener: ${what}`);
      } else assert.match(text, /^Fd3Error \w+: Cannot /);
    }
  });

  test(`listen() names the wrapper that LISTEN_PID belongs to (${variant.name})`, async () => {
    using held = holdTcp();
    const text = await refusal({ variant, fds: [held.fd], how: '"$@"; exit $?' });
    assert.match(
      text,
      /^Fd3Error ERR_FD3_NO_FDS: No file descriptors received: LISTEN_PID=\d+ is not this process \(\d+\)/,
    );
    // /proc is not open to a Deno without FFI: it can only say that it is the parent.
    if (variant.name !== "Deno without FFI") assert.match(text, /its parent, a shell; put exec before the command/);
    else assert.match(text, /its parent/);
  });

  test(`listen() throws what libsystemd answers to a malformed environment (${variant.name})`, async () => {
    const cases: [Record<string, string>, string][] = [
      [{ LISTEN_FDS: "0" }, "EINVAL: Cannot read LISTEN_FDS: 0 is not between 1 and 2147483644"],
      [{ LISTEN_FDS: "x" }, 'EINVAL: Cannot read LISTEN_FDS: "x" is not a number'],
      [{ LISTEN_FDS: "99999999999" }, 'ERANGE: Cannot read LISTEN_FDS: "99999999999" is out of range'],
      [{ LISTEN_FDNAMES: "a\\" }, 'EINVAL: Cannot read LISTEN_FDNAMES: "a\\\\" ends in a backslash'],
      [{ LISTEN_FDNAMES: "a:b" }, "EINVAL: Cannot read LISTEN_FDNAMES: it has 2 names for 1 descriptors"],
    ];
    if (variant.name !== "Deno without FFI") {
      cases.push([{ LISTEN_FDS: "200" }, "EBADF: Cannot use fd"]);
    }
    using held = holdTcp();
    for (const [env, expected] of cases) {
      const set = Object.entries(env).map(([name, value]) => `export ${name}='${value}';`).join(" ");
      const text = await refusal({ variant, fds: [held.fd], how: `${set} exec "$@"` });
      assert.ok(text.startsWith(`Fd3Error ${expected}`), text);
    }
  });

  test(`listen() rejects options that are none (${variant.name})`, async () => {
    const cases = [
      ['{"fallback":"nowhere"}', 'TypeError undefined: Cannot read address "nowhere": it is none of these'],
      [
        '{"fallback":{"port":70000}}',
        "TypeError undefined: Cannot read fallback: port 70000 is not between 0 and 65535",
      ],
      ['{"name":3}', "TypeError undefined: Cannot listen: name is 3, not a string"],
      ['{"mode":-1}', "TypeError undefined: Cannot listen: mode is -1, not an integer between 0 and 0o777"],
      ['{"mode":2048}', "TypeError undefined: Cannot listen: mode is 2048, not an integer between 0 and 0o777"],
      ['{"group":-1}', "TypeError undefined: Cannot listen: group is -1, neither a name nor a number of a group"],
    ];
    for (const [options, expected] of cases) {
      const text = await refusal({ variant, args: ["echo", options] });
      assert.ok(text.startsWith(expected), text);
    }
  });
}

test(`listen() names no flag that cannot be written (${runtime})`, async () => {
  const [, variant = variants[0]] = variants;
  const fallback = `@fd3-test-${crypto.randomUUID()}`;
  const started = activate({ variant, script: daemon, args: ["echo", JSON.stringify({ fallback })] });
  try {
    if (runtime !== "Deno") return assert.match(await started.line(), /"activated":false/);
    assert.equal(await started.exited, 1);
    assert.equal(started.stderr().trim(), `Fd3Error EACCES: Cannot listen on ${fallback}: Deno needs --allow-net`);
  } finally {
    await started[Symbol.asyncDispose]();
  }
});

test(`listen() says which permission Deno wants (${runtime})`, async () => {
  const [variant] = variants;
  // Some permission must be named: Deno's node:child_process gives a child deno without any all of them.
  const command = variant.command.map((argument) => argument.startsWith("--allow") ? "--allow-env=HOME" : argument);
  using held = holdTcp();
  const started = activate({ variant: { ...variant, command }, script: daemon, fds: [held.fd] });
  try {
    if (runtime !== "Deno") return await echoOnce(held.target, "no permission is needed");
    assert.equal(await started.exited, 1);
    assert.match(started.stderr(), /EACCES: Cannot read LISTEN_PID: Deno needs --allow-env=LISTEN_PID,/);
  } finally {
    await started[Symbol.asyncDispose]();
  }
});

test(`a group on Deno needs FFI, and that is said before anything is bound (${runtime})`, async () => {
  using folder = tempFolder();
  const fallback = `${folder.path}/s.sk`;
  const command = [...everything.command, ...(runtime === "Deno" ? ["--deny-ffi"] : [])];
  const options = JSON.stringify({ fallback, group: 0 });
  await using started = activate({ variant: { ...everything, command }, script: daemon, args: ["echo", options] });
  if (runtime !== "Deno") return assert.match(await started.line(), /"activated":false/);
  assert.equal(await started.exited, 1);
  const text = "Cannot give a socket file to a group: Deno needs --allow-ffi";
  assert.equal(started.stderr().trim(), `Fd3Error ERR_FD3_FFI: ${text}`);
  assert.equal(existsSync(fallback), false);
});
