// The file of a fallback: whom it replaces, who gets it where several start, and who may connect.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs, {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { listen } from "../../mod.ts";
import { groupId, setAccess } from "../../runtimes/shared/file_access.ts";
import {
  AF_UNIX,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from "../../src/linux/constants.ts";
import { encodeUnix } from "../../src/linux/sockaddr.ts";
import { activate, eventually, type Started } from "../fixtures/activate.ts";
import { echoOnce } from "../fixtures/client.ts";
import { fd3Error } from "../fixtures/expect.ts";
import { forgetTable } from "../fixtures/fake_host.ts";
import { ask } from "../fixtures/http_client.ts";
import { everything, libc, runtime } from "../fixtures/runtime.ts";
import { holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

// Other files of the same `bun test` have pretended that descriptors were passed.
forgetTable();

const [starters, rounds] = [4, 3];

/** Starts several at once over a dead file, and gives what each says. */
async function race(
  how: "listen" | "serve",
  folder: string,
): Promise<{ path: string; all: Started[]; said: string[] }> {
  const [path, go] = [`${folder}/s.sk`, `${folder}/go`];
  holdUnix(path)[Symbol.dispose]();
  const args = [how, path, go, JSON.stringify({ mode: 0o600 })];
  const all = Array.from(
    { length: starters },
    () => activate({ variant: everything, script: "test/shared/fixtures/starter.ts", args }),
  );
  for (const started of all) assert.equal(await started.line(), "ready");
  // Renamed, so that nobody sees it empty; the moment is far enough for all to have seen it.
  writeFileSync(`${go}.new`, String(Date.now() + 100));
  renameSync(`${go}.new`, go);
  const hasSaid = ({ stdout }: Started) => stdout().split("\n").length > 2;
  assert.ok(await eventually(() => all.every(hasSaid)), all.map(({ stderr }) => stderr()).join());
  return { path, all, said: all.map(({ stdout }) => stdout().split("\n")[1]) };
}

for (const how of ["listen", "serve"] as const) {
  test(`of ${starters} that start at once over a dead file one gets it, and can be reached: ${how}() (${runtime})`, async () => {
    for (let round = 0; round < rounds; round++) {
      using folder = tempFolder();
      const { path, all, said } = await race(how, folder.path);
      try {
        assert.deepEqual(said.sort(), [...Array(starters - 1).fill("EADDRINUSE"), "opened"].sort());
        assert.equal(statSync(path).mode & 0o777, 0o600);
        if (how === "listen") await echoOnce({ path }, "hello");
        else assert.equal(await ask({ path }), "200 hello");
      } finally {
        for (const started of all) await started[Symbol.asyncDispose]();
      }
    }
  });
}

test(`a live socket is never replaced, whatever its type and however long its queue (${runtime})`, async () => {
  using folder = tempFolder();
  for (
    const [name, type] of [["stream", SOCK_STREAM], ["datagram", SOCK_DGRAM], ["packets", SOCK_SEQPACKET]] as const
  ) {
    const path = `${folder.path}/${name}`;
    using _held = holdUnix(path, { type, backlog: 0 });
    const fds: number[] = [];
    if (type === SOCK_STREAM) {
      // Until its queue is full: then connect(2) says EAGAIN.
      const address = encodeUnix(path);
      for (let result = 0; result === 0;) {
        const fd = libc().socket(AF_UNIX, SOCK_STREAM | O_NONBLOCK | SOCK_CLOEXEC, 0);
        fds.push(fd);
        result = libc().connect(fd, address, address.length);
      }
    }
    const { ino } = statSync(path);
    await assert.rejects(listen({ fallback: path }), fd3Error("EADDRINUSE", /address already in use$/));
    assert.equal(statSync(path).ino, ino, name);
    for (const fd of fds) libc().close(fd);
  }
});

test(`a dead socket file is replaced, however long its path (${runtime})`, async () => {
  using folder = tempFolder();
  for (const length of [97, 107]) {
    const path = `${folder.path}/`.padEnd(length, "x");
    holdUnix(path)[Symbol.dispose]();
    await using listener = await listen({ fallback: path });
    assert.deepEqual(listener.address, { transport: "unix", path });
  }
});

test(`the mode is there from bind(2) on, and the umask is as before (${runtime})`, needs("strace"), async () => {
  for (const how of ["listen", "serve"]) {
    using folder = tempFolder();
    const [path, go, trace] = [`${folder.path}/s.sk`, `${folder.path}/go`, `${folder.path}/trace`];
    writeFileSync(go, "");
    await using started = activate({
      variant: everything,
      script: "test/shared/fixtures/starter.ts",
      args: [how, path, go, JSON.stringify({ mode: 0o640 })],
      how: `exec strace -D -f -qq -o ${trace} -e trace=umask,bind,chmod,fchmod,fchmodat "$@"`,
    });
    assert.ok(await eventually(() => started.stdout().includes("opened")), started.stderr());
    assert.equal(lstatSync(path).mode & 0o777, 0o640);
    const calls = readFileSync(trace, "utf8").split("\n").filter((line) =>
      line.includes(path) || line.includes("umask(")
    );
    const [set, bound, reset, ...rest] = calls.map((line) => line.replace(/^\d+ +/, ""));
    const umask = /^umask\(0137\) += (0\d*)$/.exec(set);
    assert.ok(umask !== null, calls.join("\n"));
    assert.match(bound, /^bind\(/);
    assert.equal(reset.replace(/ +/g, " "), `umask(${umask[1]}) = 0137`);
    assert.deepEqual(rest, []);
    process.kill(started.pid, "SIGTERM");
  }
});

test(`closing keeps the file that somebody else put there, whoever owns it (${runtime})`, async () => {
  const { linkSync } = fs;
  for (const mayLink of [true, false]) {
    using folder = tempFolder();
    const path = `${folder.path}/s.sk`;
    const listener = await listen({ fallback: path });
    unlinkSync(path);
    using _other = holdUnix(path);
    const { ino } = statSync(path);
    // As the kernel does with another user's files where fs.protected_hardlinks is set.
    if (!mayLink) {
      fs.linkSync = () => {
        throw Object.assign(new Error("EPERM"), { code: "EPERM" });
      };
    }
    try {
      await listener.close();
    } finally {
      fs.linkSync = linkSync;
    }
    assert.deepEqual([statSync(path).ino, readdirSync(folder.path)], [ino, ["s.sk"]]);
  }
});

const isRoot = process.getuid?.() === 0;

test(`the group of a socket file is set, and its mode for it (${runtime})`, {
  skip: isRoot ? false : "only root gives files to another group",
}, async () => {
  using folder = tempFolder();
  const path = `${folder.path}/s.sk`;
  for (const group of ["daemon", groupId("daemon")]) {
    await using _listener = await listen({ fallback: path, mode: 0o660, group });
    const { gid, mode } = statSync(path);
    assert.deepEqual([gid, mode & 0o777], [groupId("daemon"), 0o660]);
  }
  const text = `Cannot find the group "no-such-group": /etc/group has none; give its number`;
  await assert.rejects(listen({ fallback: path, group: "no-such-group" }), fd3Error("EINVAL", text));
  assert.equal(existsSync(path), false);
});

test(`setAccess() changes nothing behind a symbolic link, nor another file (${runtime})`, () => {
  using folder = tempFolder();
  const [secret, link] = [`${folder.path}/secret`, `${folder.path}/link`];
  writeFileSync(secret, "", { mode: 0o600 });
  symlinkSync(secret, link);
  for (const path of [secret, link]) {
    for (const way of [libc(), ...(runtime === "Node" ? [undefined] : [])]) {
      assert.throws(
        () => setAccess(way, path, { mode: 0o666 }),
        fd3Error("EADDRINUSE", /somebody else replaced the socket$/),
      );
    }
  }
  assert.equal(statSync(secret).mode & 0o777, 0o600);
});

test(`a fallback of whom a wrapper took the socket is told once, and "unsupervised" refuses (${runtime})`, async () => {
  using folder = tempFolder();
  using held = holdUnix(`${folder.path}/held.sk`);
  const [path, go] = [`${folder.path}/s.sk`, `${folder.path}/go`];
  writeFileSync(go, "");
  const start = (options: object, how = '"$@"; exit $?', env = {}) =>
    activate({
      variant: everything,
      script: "test/shared/fixtures/starter.ts",
      args: ["listen", path, go, JSON.stringify(options)],
      fds: [held.fd],
      how,
      env,
    });
  {
    await using started = start({});
    assert.ok(await eventually(() => started.stdout().includes("opened")), started.stderr());
    const why =
      /^fd3: uses the fallback \S+\/s\.sk, not a socket that was passed: LISTEN_PID=\d+ is not this process .*put exec before/;
    assert.match(started.stderr(), why);
    execFileSync("pkill", ["-TERM", "-P", String(started.pid)]);
    await started.exited;
  }
  const unsupervised = { fallbackFor: "unsupervised" };
  for (
    const [how, env] of [[undefined, {}], ['unset LISTEN_PID LISTEN_FDS; exec "$@"', {
      NOTIFY_SOCKET: "/run/none",
    }]] as const
  ) {
    await using refused = start(unsupervised, how, env);
    await refused.exited;
    assert.match(refused.stdout(), /^ERR_FD3_NO_FDS$/m);
  }
  await using outside = start(unsupervised, 'unset LISTEN_PID LISTEN_FDS NOTIFY_SOCKET; exec "$@"');
  assert.ok(await eventually(() => outside.stdout().includes("opened")), outside.stdout());
});
