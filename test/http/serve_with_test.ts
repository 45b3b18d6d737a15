import assert from "node:assert/strict";
import { test } from "node:test";
import { Fd3Error } from "../../src/errors.ts";
import type { EngineMaker } from "../../src/http/engine.ts";
import { type ServeAdapter, serveWith } from "../../src/http/serve.ts";
import type { EngineName, ServeHandler, ServeOptions } from "../../src/http/types.ts";
import { AF_UNIX, SOCK_STREAM } from "../../src/linux/constants.ts";
import type { Address } from "../../src/types.ts";
import { fd3Error, typeError } from "../fixtures/expect.ts";
import { engineAddress, FakeEngine } from "../fixtures/fake_engine.ts";
import { fakeHost, forgetTable, ownPid } from "../fixtures/fake_host.ts";
import { FakeKernel } from "../fixtures/fake_kernel.ts";

const handler: ServeHandler = () => new Response();

/** An engine of this name whose making fails, or not. */
function maker(name: EngineName, log: string[], error?: Error): EngineMaker & { engine: FakeEngine } {
  const engine = new FakeEngine();
  const make = (how: string) => {
    log.push(`${name} ${how}`);
    if (error !== undefined) throw error;
    return engine;
  };
  return {
    name,
    engine,
    adopt: ({ fd }, _handler, tls) => make(`adopt ${fd}${tls === undefined ? "" : " tls"}`),
    open: (address: Address, { mode, group }) => make(`open ${JSON.stringify(address)} ${mode} ${group}`),
  };
}

/** An adapter with these engines, in a process that was passed a Unix listener named web, or nothing. */
function adapterOf(engines: readonly EngineMaker[], { passed = true } = {}): ServeAdapter {
  forgetTable();
  const environment: Record<string, string> = passed
    ? { LISTEN_PID: String(ownPid), LISTEN_FDS: "1", LISTEN_FDNAMES: "web" }
    : {};
  const address: Address = { transport: "unix", path: "/run/web.sk" };
  const host = fakeHost({
    environment,
    describe: () => ({ is: "socket", family: AF_UNIX, type: SOCK_STREAM, listening: true, address }),
  });
  return { host, engines, log: { report: () => {}, note: () => {} }, checkTls: () => {} };
}

const obstacle = new Fd3Error("ERR_FD3_FFI", "Cannot have it");

test("serve() adopts the inherited descriptor with the first engine", async () => {
  const log: string[] = [];
  const adapter = adapterOf([maker("bun-serve", log), maker("node-http", log)]);
  const server = await serveWith(adapter, handler, { name: "web", fallback: "127.0.0.1:0" });
  assert.deepEqual(log, ["bun-serve adopt 3"]);
  assert.deepEqual([server.activated, server.name], [true, "web"]);
  await assert.rejects(serveWith(adapter, handler, {}), fd3Error("ERR_FD3_TAKEN"));
  forgetTable();
});

test("serve() opens the fallback when nothing was passed", async () => {
  const log: string[] = [];
  const adapter = adapterOf([maker("node-http", log)], { passed: false });
  const server = await serveWith(adapter, handler, { fallback: "/run/own.sk", mode: 0o660, group: "www-data" });
  assert.deepEqual(log, [`node-http open {"transport":"unix","path":"/run/own.sk"} ${0o660} www-data`]);
  assert.deepEqual([server.activated, server.name], [false, undefined]);
  await assert.rejects(serveWith(adapter, handler, {}), fd3Error("ERR_FD3_NO_FDS"));
  forgetTable();
});

test("serve() goes on to the next engine where one cannot be had, and to no other failure's", async () => {
  for (const code of ["ERR_FD3_FFI", "ERR_FD3_PLATFORM", "ERR_FD3_TRANSPLANT"] as const) {
    const log: string[] = [];
    const error = new Fd3Error(code, "Cannot have it");
    await serveWith(adapterOf([maker("deno-serve", log, error), maker("node-http", log)]), handler, {});
    assert.deepEqual(log, ["deno-serve adopt 3", "node-http adopt 3"]);
  }
  for (const error of [new Fd3Error("EMFILE", "too many"), new TypeError("of an option")]) {
    const log: string[] = [];
    const adapter = adapterOf([maker("deno-serve", log, error), maker("node-http", log)]);
    await assert.rejects(serveWith(adapter, handler, {}), (thrown) => thrown === error);
    assert.deepEqual(log, ["deno-serve adopt 3"]);
  }
  const log: string[] = [];
  const last = new Fd3Error("ERR_FD3_TRANSPLANT", "nor this");
  const adapter = adapterOf([maker("deno-serve", log, obstacle), maker("node-http", log, last)]);
  await assert.rejects(serveWith(adapter, handler, {}), fd3Error("ERR_FD3_FFI", "Cannot have it; nor this"));
  forgetTable();
});

test("serve() warns where it gets a slower engine, unless that is a choice or the runtime never has another", async () => {
  const rows = [
    ["ERR_FD3_TRANSPLANT", true, ["serves with node-http, which is slower than deno-serve: Cannot have it"]],
    ["ERR_FD3_FFI", true, ["serves with node-http, which is slower than deno-serve: Cannot have it"]],
    ["ERR_FD3_FFI", false, []],
    ["ERR_FD3_PLATFORM", true, []],
  ] as const;
  for (const [code, ffi, warnings] of rows) {
    const engines = [maker("deno-serve", [], new Fd3Error(code, "Cannot have it")), maker("node-http", [])];
    const adapter = adapterOf(engines, { passed: false });
    const host = fakeHost(ffi ? { libc: new FakeKernel().libc } : {});
    await serveWith({ ...adapter, host }, handler, { fallback: "127.0.0.1:0" });
    assert.deepEqual(host.warnings, warnings, `${code} ${ffi}`);
  }
  forgetTable();
});

test("serve() uses the engine that is forced, or says why not", async () => {
  const log: string[] = [];
  const engines = [maker("deno-serve", log, obstacle), maker("node-http", log)];
  const server = await serveWith(adapterOf(engines), handler, { engine: "node-http", tls: tlsOf() });
  assert.equal(server.engine, "node-http");
  assert.deepEqual(log, ["node-http adopt 3 tls"]);
  await assert.rejects(
    serveWith(adapterOf(engines), handler, { engine: "deno-serve" }),
    (thrown) => thrown === obstacle,
  );
  const text = "Cannot serve with bun-serve: Node has deno-serve and node-http";
  await assert.rejects(
    serveWith(adapterOf(engines), handler, { engine: "bun-serve" }),
    fd3Error("ERR_FD3_PLATFORM", text),
  );
  forgetTable();
});

test("serve() puts the descriptor back where no engine took it", async () => {
  const log: string[] = [];
  const error = new Error("no");
  const adapter = adapterOf([maker("node-http", log, error)]);
  await assert.rejects(serveWith(adapter, handler, {}), (thrown) => thrown === error);
  await serveWith({ ...adapter, engines: [maker("node-http", log)] }, handler, {});
  assert.deepEqual(log, ["node-http adopt 3", "node-http adopt 3"]);
  forgetTable();
});

test("serve() calls onListen with the address, and ends the server where that throws", async () => {
  const log: string[] = [];
  const good = maker("node-http", log);
  const heard: Address[] = [];
  await serveWith(adapterOf([good]), handler, { onListen: (address) => void heard.push(address) });
  assert.deepEqual(heard, [engineAddress]);
  assert.equal(good.engine.log, "");
  const onListen = () => {
    throw new Error("of onListen");
  };
  await assert.rejects(serveWith(adapterOf([good]), handler, { onListen }), /of onListen/);
  assert.equal(good.engine.log, "stop  abort");
  forgetTable();
});

function tlsOf(): { cert: string; key: string } {
  return { cert: "-----BEGIN CERTIFICATE-----", key: "-----BEGIN PRIVATE KEY-----" };
}

const wrong: [handler: unknown, options: unknown, text: string][] = [
  [undefined, {}, "the handler is undefined, not a function"],
  [{ fetch: handler }, {}, "the handler is [object Object], not a function"],
  [handler, null, "options are null, not an object"],
  [handler, "x", 'options are "x", not an object'],
  [handler, { engine: "node" }, 'engine is "node", not one of "deno-serve", "bun-serve", "node-http"'],
  [handler, { tls: true }, "tls is true, not an object with cert and key"],
  [handler, { tls: { cert: 7, key: "" } }, "tls.cert is 7, not a text in PEM"],
  [handler, { tls: { cert: "" } }, "tls.key is undefined, not a text in PEM"],
  [handler, { signal: {} }, "signal is [object Object], not an AbortSignal"],
  [handler, { onError: "x" }, 'onError is "x", not a function'],
  [handler, { onListen: 1 }, "onListen is 1, not a function"],
  [handler, { websocket: true }, "websocket is true, not an object with handlers"],
  [handler, { websocket: { message: "x" } }, 'websocket.message is "x", not a function'],
  [handler, { drainTimeout: -1 }, "drainTimeout is -1, not a number between 0 and 2147483647, nor Infinity"],
  [handler, { drainTimeout: NaN }, "drainTimeout is NaN, not a number between 0 and 2147483647, nor Infinity"],
  [
    handler,
    { drainTimeout: 2 ** 31 },
    "drainTimeout is 2147483648, not a number between 0 and 2147483647, nor Infinity",
  ],
  [
    handler,
    { idleConnectionTimeout: 0 },
    "idleConnectionTimeout is 0, not a number between 1 and 2147483647, nor Infinity",
  ],
  [handler, { drainTimeout: "5" }, 'drainTimeout is "5", not a number between 0 and 2147483647, nor Infinity'],
];

for (const [given, options, text] of wrong) {
  test(`serve() throws a TypeError where ${text}`, async () => {
    const log: string[] = [];
    const adapter = adapterOf([maker("node-http", log)]);
    await assert.rejects(
      serveWith(adapter, given as ServeHandler, options as ServeOptions),
      typeError(`Cannot serve: ${text}`),
    );
    assert.deepEqual(log, []);
    forgetTable();
  });
}

test("serve() checks what listen() takes as listen() does", async () => {
  const adapter = adapterOf([maker("node-http", [])]);
  await assert.rejects(
    serveWith(adapter, handler, { name: 7 as never }),
    typeError("Cannot listen: name is 7, not a string"),
  );
  await serveWith(adapter, handler, { drainTimeout: Infinity });
  forgetTable();
});
