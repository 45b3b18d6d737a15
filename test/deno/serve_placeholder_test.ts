import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import { activate } from "../fixtures/activate.ts";
import { makeTls } from "../fixtures/certificate.ts";
import { receive } from "../fixtures/client.ts";
import { get, inodeOf, listeningSockets, raw } from "../fixtures/http.ts";
import { line, onDeno, start } from "./fixtures/on_deno.ts";
import { everything } from "../fixtures/runtime.ts";
import { type Held, holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

const visit = "test/deno/fixtures/placeholder_visit.ts";

/** ECONNRESET, as libc's read(2) gives it. */
const reset = -104;

async function visited(
  when: "early" | "late",
  held: Held,
  options: object,
  end: () => Promise<unknown>,
): Promise<void> {
  const args = [when, JSON.stringify(options)];
  await using started = activate({ variant: everything, script: visit, args, fds: [held.fd] });
  assert.equal(await line(started, 1), "serving");
  assert.deepEqual(listeningSockets(started.pid), [inodeOf(held.fd)]);
  await end();
  assert.deepEqual(await line(started, 2), { paths: ["/end"], read: reset }, when);
  assert.equal(await started.exited, 0, started.stderr());
}

for (const when of ["early", "late"] as const) {
  onDeno(`serveNative() closes a connection to its placeholder and does not serve it, ${when}`, async () => {
    using folder = tempFolder();
    using tcp = holdTcp();
    using unix = holdUnix(`${folder.path}/s.sk`);
    for (const held of [tcp, unix]) await visited(when, held, {}, () => get(held.target, "/end"));
  });
}

for (const when of ["early", "late"] as const) {
  onDeno(`serveNative() serves nobody on its placeholder where it cannot put fd 3 there, ${when}`, async () => {
    using folder = tempFolder();
    using tcp = holdTcp();
    using unix = holdUnix(`${folder.path}/s.sk`);
    for (const held of [tcp, unix]) {
      const args = [when, "{}", "break"];
      await using started = activate({ variant: everything, script: visit, args, fds: [held.fd] });
      assert.equal(await line(started, 1), "Cannot read which socket fd 3 is");
      const { paths, read } = await line(started, 2);
      assert.deepEqual(paths, []);
      assert.ok(read === 0 || read === reset, String(read));
      assert.equal(await started.exited, 0, started.stderr());
    }
  });
}

onDeno("serveNative() closes a connection to its placeholder with TLS, too", async () => {
  using folder = tempFolder();
  const { key, cert } = makeTls(folder.path);
  using tcp = holdTcp();
  await visited("early", tcp, { key, cert }, async () => {
    const socket = connectTls({ ...tcp.target, rejectUnauthorized: false });
    socket.write("GET /end HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert.match((await receive(socket)).toString(), /^HTTP\/1.1 200 /);
  });
}, needs("openssl"));

onDeno("request.url has no placeholder's address where Deno.serve() tells too late that there is one", async () => {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  for (const [held, authority] of [[tcp, `http://localhost:${tcp.port}`], [unix, "http+unix://"]] as const) {
    await using started = activate({ variant: everything, script: visit, args: ["late"], fds: [held.fd] });
    await line(started, 1);
    const { body } = await raw(held.target, "GET /a HTTP/1.0\r\n\r\n");
    assert.ok(body.startsWith(authority) && body.endsWith("/a"), body);
    if (held === unix) assert.match(body, /%2Fs%2Esk\/a$/);
    assert.equal((await get(held.target, "/b")).body, `${held === unix ? "http+unix" : "http"}://example.com/b`);
  }
});

onDeno("serveNative() goes its way with DENO_SERVE_ADDRESS=, or says that it cannot", async () => {
  using folder = tempFolder();
  using tcp = holdTcp();
  using unix = holdUnix(`${folder.path}/s.sk`);
  const env = { DENO_SERVE_ADDRESS: "tcp:127.0.0.2:0" };
  await using started = start("native", {}, [tcp], { env });
  await line(started, 2);
  assert.deepEqual(listeningSockets(started.pid), [inodeOf(tcp.fd)]);
  assert.equal((await get(tcp.target, "/text")).status, 200);
  assert.equal(await started.terminate(), 0, started.stderr());
  await using refused = start("native", {}, [unix], { env });
  assert.equal(await refused.exited, 1);
  assert.match(
    refused.stderr(),
    /^Fd3Error ERR_FD3_TRANSPLANT: Cannot open a placeholder: Deno opened 127.0.0.2:\d+$/m,
  );
});
