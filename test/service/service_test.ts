import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { booted, credential, directories } from "../../src/service/surroundings.ts";
import { log, logText } from "../../src/service/log.ts";
import type { ServiceHost } from "../../src/service/host.ts";
import type { DirectoryKind } from "../../src/service/types.ts";
import { makedev } from "../../runtimes/deno/service_host.ts";
import { fd3Error, typeError } from "../fixtures/expect.ts";
import { notifyHost } from "../fixtures/notify_host.ts";
import { type Call, linesOf, startNotifier } from "../fixtures/notifying.ts";
import { runtime, type Variant, variants } from "../fixtures/runtime.ts";
import { tempFolder } from "../fixtures/sockets.ts";
import type { NotifyHost } from "../../src/notify/host.ts";
import { needs, needsLibrary } from "../fixtures/tools.ts";
import { NotifyLibsystemd } from "../oracle/libsystemd.ts";

/** This runtime with another environment, and its stderr kept. */
function host(environment: Record<string, string>, changes: Partial<ServiceHost> = {}) {
  const written: string[] = [];
  const writeStderr = (text: string) => void written.push(text);
  return { ...notifyHost, env: (name: string) => environment[name], writeStderr, written, ...changes };
}

/** Deno variants with another permission for the environment, and more. */
function allowing(variant: Variant, env: string, ...flags: string[]): Variant {
  if (runtime !== "Deno") return variant;
  const command = variant.command.map((flag) => flag.startsWith("--allow-env") ? `--allow-env=${env}` : flag);
  return { ...variant, command: [...command, "--no-prompt", ...flags] };
}

test("logText() begins each line with the prefix", () => {
  assert.equal(logText("<3>", "a"), "<3>a\n");
  assert.equal(logText("<3>", "a\n"), "<3>a\n");
  assert.equal(logText("<3>", "a\n\n<0>b"), "<3>a\n<3>\n<3><0>b\n");
  assert.equal(logText("<3>", ""), "<3>\n");
  assert.equal(logText("", "a\nb"), "a\nb\n");
});

test("log() has prefixes only where stderr is the stream of JOURNAL_STREAM", () => {
  const stderrId = () => "8:1234";
  const wanted = [["8:1234", "<4>"], ["8:1235", ""], ["9:1234", ""], ["", ""], ["junk", ""]];
  for (const [stream, prefix] of wanted) {
    const there = host({ JOURNAL_STREAM: stream }, { stderrId });
    log(there, "warning", "a\nb");
    assert.deepEqual(there.written, [`${prefix}a\n${prefix}b\n`], stream);
  }
  const unset = host({}, { stderrId });
  log(unset, "warning", "a");
  const unknown = host({ JOURNAL_STREAM: "undefined" }, { stderrId: () => undefined });
  log(unknown, "warning", "a");
  const forbidden = host({}, {
    env: () => {
      throw new Error("no");
    },
  });
  log(forbidden, "warning", "a");
  for (const { written } of [unset, unknown, forbidden]) assert.deepEqual(written, ["a\n"]);
});

test("log() knows the priorities of syslog(3) by name", () => {
  const there = host({ JOURNAL_STREAM: "1:2" }, { stderrId: () => "1:2" });
  const priorities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] as const;
  for (const priority of priorities) log(there, priority, priority);
  assert.deepEqual(there.written, priorities.map((priority, i) => `<${i}>${priority}\n`));
  const text = `Cannot log: the priority is error, not one of ${priorities.join(", ")}`;
  assert.throws(() => log(there, "error" as never, "a"), typeError(text));
});

test(`log() finds out what stderr is, and writes all of it (${runtime})`, async () => {
  const long = "x".repeat(100_000);
  const calls: Call[] = [["log", "err", "one\ntwo"], ["log", "debug", long]];
  const isStderr = 'export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); exec "$@"';
  const isOther = 'export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/1); exec "$@"';
  for (const variant of variants) {
    for (const [how, err, debug] of [[isStderr, "<3>", "<7>"], [isOther, "", ""]]) {
      await using started = startNotifier(allowing(variant, "JOURNAL_STREAM"), undefined, calls, {}, { how });
      await linesOf(started);
      // Where it is the journal, the long line is several.
      const whole = debug === "" ? started.stderr() : started.stderr().replaceAll(`x\n${debug}x`, "xx");
      assert.equal(whole, `${err}one\n${err}two\n${debug}${long}\n`, variant.name);
      assert.equal(started.stderr().length - whole.length, debug === "" ? 0 : 2 * `\n${debug}`.length, variant.name);
    }
  }
});

test(`log() writes without a prefix where a Deno may not read JOURNAL_STREAM, and to nobody (${runtime})`, async () => {
  const how = 'export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); exec "$@"';
  for (const variant of variants) {
    const calls: Call[] = [["log", "err", "one"]];
    await using started = startNotifier(allowing(variant, "HOME"), undefined, calls, {}, { how });
    await linesOf(started);
    assert.equal(started.stderr(), runtime === "Deno" ? "one\n" : "<3>one\n", variant.name);
    const closed = { how: 'exec "$@" 2>&-' };
    await using silent = startNotifier(allowing(variant, "HOME"), undefined, calls, {}, closed);
    assert.deepEqual(await linesOf(silent), [{}], variant.name);
  }
});

test(`log() asks nobody for a permission (${runtime})`, needs("script", "bsdutils"), async () => {
  // A terminal on which nobody answers.
  const how = 'exec bash -c \'exec script -qec "$(printf "%q " "$@")" /dev/null\' bash "$@"';
  const [variant] = variants;
  const command = variant.command.map((flag) => flag.startsWith("--allow-env") ? "--allow-env=HOME" : flag);
  const calls: Call[] = [["log", "err", "one"]];
  await using started = startNotifier({ ...variant, command }, undefined, calls, { JOURNAL_STREAM: "1:2" }, { how });
  assert.equal(await started.exited, 0);
  assert.deepEqual(started.stdout().split("\r\n").slice(0, 2), ["one", "{}"], started.stdout());
});

test("makedev() is what stat(2) makes of a major and a minor number", () => {
  assert.equal(makedev(0, 8), 8n);
  assert.equal(makedev(8, 1), 0x801n);
  assert.equal(makedev(0xfff, 0xff), 0xfffffn);
  assert.equal(makedev(0x12345, 0x6789a), 0x120006783459an);
});

test(`credential() reads what systemd passed (${runtime})`, () => {
  using folder = tempFolder();
  const bytes = Uint8Array.of(0, 255, 10);
  writeFileSync(`${folder.path}/key.bin`, bytes);
  writeFileSync(`${folder.path}/text`, "\ufeffgrüß\n");
  writeFileSync(`${folder.path}/a name..`, "");
  const there = host({ CREDENTIALS_DIRECTORY: folder.path });
  const key = credential(there, "key.bin")!;
  assert.deepEqual([key.name, [...key.bytes]], ["key.bin", [...bytes]]);
  assert.ok(key.bytes.constructor === Uint8Array && key.bytes.buffer.byteLength === 3);
  assert.throws(() => key.text(), TypeError);
  assert.equal(credential(there, "text")!.text(), "\ufeffgrüß\n");
  assert.equal(credential(there, "a name..")!.text(), "");
  assert.equal(credential(there, "none"), undefined);
  assert.equal(credential(host({ CREDENTIALS_DIRECTORY: `${folder.path}/none` }), "text"), undefined);
  assert.equal(credential(host({}), "text"), undefined);
});

test(`credential() refuses what is no name, and says what it cannot read (${runtime})`, () => {
  using folder = tempFolder();
  mkdirSync(`${folder.path}/folder`);
  const there = host({ CREDENTIALS_DIRECTORY: folder.path });
  const names = ["", ".", "..", "a/b", "../a", "a:b", "a\0", "a\n", "ü", "x".repeat(256), undefined as never];
  for (const name of names) {
    const text = `Cannot read a credential: ${JSON.stringify(name)} is no name of one`;
    assert.throws(() => credential(there, name), typeError(text));
    assert.throws(() => credential(host({}), name), TypeError);
  }
  assert.throws(() => credential(there, "folder"), fd3Error("EIO", /^Cannot read the credential "folder": /));
  const text = 'Cannot read the credential "a": CREDENTIALS_DIRECTORY is "run", not an absolute path';
  assert.throws(() => credential(host({ CREDENTIALS_DIRECTORY: "run" }), "a"), fd3Error("EINVAL", text));
  const refusing = host({ CREDENTIALS_DIRECTORY: "/" }, {
    readFile() {
      throw Object.assign(new Error("no"), { code: "EACCES" });
    },
  });
  const refused = 'Cannot read the credential "a": permission denied';
  assert.throws(() => credential(refusing, "a"), fd3Error("EACCES", refused));
});

test(`directories() lists what systemd made (${runtime})`, () => {
  const kinds: readonly (readonly [DirectoryKind, string])[] = [
    ["state", "STATE_DIRECTORY"],
    ["runtime", "RUNTIME_DIRECTORY"],
    ["cache", "CACHE_DIRECTORY"],
    ["logs", "LOGS_DIRECTORY"],
    ["configuration", "CONFIGURATION_DIRECTORY"],
  ];
  for (const [kind, variable] of kinds) {
    assert.deepEqual(directories(host({ [variable]: "/var/lib/a" }), kind), ["/var/lib/a"]);
    assert.deepEqual(directories(host({ [variable]: "/var/lib/a:/var/lib/b c" }), kind), [
      "/var/lib/a",
      "/var/lib/b c",
    ]);
    assert.deepEqual(directories(host({ [variable]: "" }), kind), []);
    assert.deepEqual(directories(host({}), kind), []);
  }
  const text = "Cannot list directories: the kind is tmp, not one of state, runtime, cache, logs, configuration";
  assert.throws(() => directories(host({}), "tmp" as never), typeError(text));
  assert.throws(() => directories(host({}), "toString" as never), TypeError);
});

test(`booted() answers as sd_booted() does (${runtime})`, needsLibrary("libsystemd", "libsystemd-dev"), async () => {
  await using libsystemd = new NotifyLibsystemd();
  const { result } = await libsystemd.booted();
  assert.equal(booted(notifyHost), result === 1);
});

test(`booted() looks for a folder (${runtime})`, () => {
  using folder = tempFolder();
  const { exists } = notifyHost;
  assert.deepEqual([exists(folder.path), exists(`${folder.path}/`)], [true, true]);
  assert.deepEqual([exists(`${folder.path}/none`), exists(`${folder.path}/none/`)], [false, false]);
  // As sd_booted() says it, which asks faccessat(2).
  writeFileSync(`${folder.path}/file`, "");
  const there: NotifyHost = { ...notifyHost, exists: () => exists(`${folder.path}/file/`) };
  assert.throws(() => booted(there), fd3Error("ENOTDIR", "Cannot look for systemd: not a directory"));
});

test(`the surroundings of a service need the permissions of Deno that are documented (${runtime})`, async () => {
  using folder = tempFolder();
  writeFileSync(`${folder.path}/a`, "secret");
  const calls: Call[] = [["booted"], ["credential", "a"], ["directories", "state"]];
  const env = { CREDENTIALS_DIRECTORY: folder.path, STATE_DIRECTORY: "/var/lib/a" };
  const error = (code: string, message: string) => ({ name: "Fd3Error", code, message });
  for (const variant of variants) {
    const names = "CREDENTIALS_DIRECTORY,STATE_DIRECTORY";
    const read = `--allow-read=${folder.path},/run/systemd/system`;
    await using allowed = startNotifier(allowing(variant, names, read), undefined, calls, env);
    const [found, secret, state] = await linesOf(allowed);
    assert.equal(typeof found.value, "boolean", variant.name);
    assert.equal((secret.value as { name: string }).name, "a");
    assert.deepEqual(state.value, ["/var/lib/a"]);

    await using bare = startNotifier(allowing(variant, "CREDENTIALS_DIRECTORY"), undefined, calls, env);
    const lines = await linesOf(bare);
    if (runtime !== "Deno") continue;
    const denied = error("EACCES", "Cannot look for systemd: Deno needs --allow-read=/run/systemd/system");
    // With FFI it asks the kernel itself.
    assert.deepEqual(lines[0], variant.ffi ? found : denied, variant.name);
    assert.deepEqual(
      lines[1],
      error("EACCES", `Cannot read the credential "a": Deno needs --allow-read=${folder.path}/a`),
    );
    const missing = "Cannot read STATE_DIRECTORY: Deno needs --allow-env=STATE_DIRECTORY";
    assert.deepEqual(lines[2], error("EACCES", missing));
  }
});
