import assert from "node:assert/strict";
import { existsSync, lstatSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { serveNative } from "../../runtimes/deno.ts";
import { activate } from "../fixtures/activate.ts";
import { echoOnce, open } from "../fixtures/client.ts";
import { makeTls } from "../fixtures/certificate.ts";
import { fd3Error, typeError } from "../fixtures/expect.ts";
import { forgetTable } from "../fixtures/fake_host.ts";
import { get, listeningSockets } from "../fixtures/http.ts";
import { inform, line, onDeno, start } from "./fixtures/on_deno.ts";
import { everything, type Variant } from "../fixtures/runtime.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

forgetTable();

/** Deno with these permissions alone. */
function allow(...permissions: string[]): Variant {
  const env = "--allow-env=LISTEN_PID,LISTEN_PIDFDID,LISTEN_FDS,LISTEN_FDNAMES";
  return { name: "Deno", command: [process.execPath, "run", "-q", env, ...permissions], ffi: false };
}

const withoutFfi = allow("--allow-net", "--allow-read", "--allow-write");

/** Setting a mode takes libc, or this permission. */
const withUmask = { ...withoutFfi, command: [...withoutFfi.command, "--allow-sys"] };

for (const variant of [everything, withUmask]) {
  const how = variant === everything ? "" : ", without FFI";
  onDeno(`serveNative() and denoServe open the fallback${how}`, async () => {
    for (const mode of ["native", "engine"] as const) {
      await using started = start(mode, { fallback: "127.0.0.1:0" }, [], { variant });
      const { address, addr = address } = await line(started, mode === "native" ? 2 : 1);
      assert.deepEqual({ ...addr, port: 0 }, { transport: "tcp", hostname: "127.0.0.1", port: 0 });
      const { url, remote } = await inform({ host: "127.0.0.1", port: addr.port });
      assert.equal(url, "http://example.com/");
      assert.equal(remote.hostname, "127.0.0.1");
      assert.equal(listeningSockets(started.pid).length, 1);
      assert.equal(await started.terminate(), 0, started.stderr());
    }
  });

  onDeno(`serveNative() and denoServe open a fallback path, and delete it if it is theirs${how}`, async () => {
    using folder = tempFolder();
    const path = `${folder.path}/f.sk`;
    for (const mode of ["native", "engine"] as const) {
      // A dead one is replaced.
      holdUnix(path)[Symbol.dispose]();
      await using started = start(mode, { fallback: path, mode: 0o600 }, [], { variant });
      const { address, addr = address } = await line(started, mode === "native" ? 2 : 1);
      assert.deepEqual(addr, { transport: "unix", path });
      assert.equal(lstatSync(path).mode & 0o777, 0o600);
      const { url } = await inform({ path });
      assert.equal(url, `${mode === "native" ? "http+unix" : "http"}://example.com/`);
      await using second = start(mode, { fallback: path }, [], { variant });
      assert.equal(await second.exited, 1);
      const text = `Fd3Error EADDRINUSE: Cannot listen on ${path}: address already in use\n`;
      assert.equal(second.stderr(), text);
      assert.equal(await started.terminate(), 0, started.stderr());
      assert.equal(existsSync(path), false);
    }
  });
}

onDeno("serveNative() and denoServe keep what is another's at their fallback path", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/f.sk`;
  for (const mode of ["native", "engine"] as const) {
    await using started = start(mode, { fallback: path });
    await line(started, 1);
    // While they shut down, too: Deno would delete it late.
    const slow = get({ path }, "/slow");
    await get({ path }, "/text");
    unlinkSync(path);
    writeFileSync(path, "another's");
    process.kill(started.pid, "SIGTERM");
    assert.equal((await slow).body, "slow");
    assert.equal(await started.exited, 0, started.stderr());
    assert.equal(readFileSync(path, "utf8"), "another's");
    unlinkSync(path);
  }
});

/** Adopting fails with this line, and the client who waits in the queue is the next instance's. */
async function refuses(variant: Variant, kind: "tcp" | "unix", options: object, expected: string): Promise<void> {
  using folder = tempFolder();
  using held = kind === "tcp" ? holdTcp() : holdUnix(`${folder.path}/s.sk`);
  const waiting = await open(held.target);
  const mode = "tls" in options ? "engine" : "native";
  await using started = start(mode, options, [held], { variant });
  assert.equal(await started.exited, 1);
  assert.equal(started.stderr(), `${expected}\n`);
  assert.equal(started.stdout(), "");
  await using next = activate({ variant: everything, script: "test/fixtures/daemon.ts", fds: [held.fd] });
  await echoOnce(held.target, "next");
  waiting.destroy();
  assert.equal(await next.terminate(), 0, next.stderr());
}

onDeno("serveNative() says which permission is missing", async () => {
  const cannot = "Fd3Error ERR_FD3_FFI: Cannot adopt fd 3 as a Deno.HttpServer: ";
  await refuses(allow("--allow-net"), "tcp", {}, `${cannot}Deno calls libc with --allow-ffi`);
  await refuses(allow("--allow-ffi"), "tcp", {}, `${cannot}it needs --allow-net=127.0.0.1`);
  await refuses(allow("--allow-ffi", "--allow-net=127.0.0.1"), "unix", {}, `${cannot}it needs --allow-net`);
});

onDeno("serveNative() needs no more than it says", async () => {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  for (const [held, net] of [[tcp, "--allow-net=127.0.0.1"], [unix, "--allow-net"]] as const) {
    await using started = start("native", {}, [held], { variant: allow("--allow-ffi", net) });
    await line(started, 2);
    assert.equal((await get(held.target, "/text")).status, 200);
    assert.equal(await started.terminate(), 0, started.stderr());
  }
});

onDeno("serveNative() and denoServe refuse TLS where Deno has none, and what is no certificate", async () => {
  using folder = tempFolder();
  const { key, cert } = makeTls(folder.path);
  const none = "Fd3Error ERR_FD3_PLATFORM: Cannot serve fd 3 with TLS: Deno has no TLS on a Unix socket";
  await refuses(everything, "unix", { key, cert }, none);
  await refuses(everything, "unix", { tls: { key, cert } }, none);
  const bad = "TypeError undefined: Cannot serve with TLS: No certificates found in certificate data";
  await refuses(everything, "tcp", { key, cert: "x" }, bad);
  await refuses(everything, "tcp", { tls: { key, cert: "x" } }, bad);
  const handler = () => new Response();
  const path = `${folder.path}/f.sk`;
  const text = `Cannot serve ${path} with TLS: Deno has no TLS on a Unix socket`;
  await assert.rejects(() => serveNative({ fallback: path, key, cert }, handler), fd3Error("ERR_FD3_PLATFORM", text));
  assert.equal(existsSync(path), false);
  const fallback = "127.0.0.1:0";
  await assert.rejects(
    () => serveNative({ fallback, key, cert: "x" }, handler),
    typeError("Cannot serve with TLS: No certificates found in certificate data"),
  );
}, needs("openssl"));

onDeno("serveNative() refuses an address among the options, and what is no handler", async () => {
  const handler = () => new Response();
  for (const name of ["port", "hostname", "path", "cid"]) {
    await assert.rejects(
      () => serveNative({ fallback: "127.0.0.1:0", [name]: 8000 }, handler),
      typeError(`Cannot serve: ${name} is given; the address is the inherited socket's, or fallback's`),
    );
  }
  const nothing = undefined as unknown as typeof handler;
  await assert.rejects(() => serveNative({}, nothing), typeError("Cannot serve: handler is undefined, not a function"));
  await assert.rejects(
    () => serveNative({}, handler),
    fd3Error("ERR_FD3_NO_FDS", /^No file descriptors received: start its socket unit /),
  );
});

onDeno("serveNative() ends the server whose onListen() throws", async () => {
  let port = 0;
  const onListen = (address: { port?: number }) => {
    port = address.port ?? 0;
    throw new RangeError("on purpose");
  };
  const serve = () => serveNative({ fallback: "127.0.0.1:0", onListen }, () => new Response());
  await assert.rejects(serve, new RangeError("on purpose"));
  assert.ok(port > 0);
  await assert.rejects(open({ host: "127.0.0.1", port }), { code: "ECONNREFUSED" });
});
