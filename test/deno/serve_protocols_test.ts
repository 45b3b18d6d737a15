import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { gunzipSync } from "node:zlib";
import { makeTls } from "../fixtures/certificate.ts";
import { open, receive } from "../fixtures/client.ts";
import { get, inodeOf, listeningSockets, parseAnswer, send } from "../fixtures/http.ts";
import { line, onDeno, start } from "./fixtures/on_deno.ts";
import { holdTcp, holdUnix, tempFolder } from "../fixtures/sockets.ts";
import { needs } from "../fixtures/tools.ts";

function http2Body(authority: string, options: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(authority, { rejectUnauthorized: false, ...options });
    session.on("error", reject);
    const stream = session.request({ ":path": "/h2" });
    let text = "";
    stream.setEncoding("utf8");
    stream.on("error", reject).on("data", (chunk: string) => text += chunk).on("end", () => {
      session.close();
      resolve(text);
    }).end();
  });
}

async function tlsUrl(target: object, request: string): Promise<string> {
  const socket = connectTls({ ...target, rejectUnauthorized: false });
  socket.write(request);
  const { body } = parseAnswer((await receive(socket)).toString());
  socket.destroy();
  return JSON.parse(body).url;
}

onDeno("serveNative() and denoServe serve https, with HTTP/2", async () => {
  using folder = tempFolder();
  const { key, cert } = makeTls(folder.path);
  for (const [mode, options] of [["native", { key, cert }], ["engine", { tls: { key, cert } }]] as const) {
    using tcp = holdTcp();
    await using started = start(mode, options, [tcp]);
    const authority = `https://127.0.0.1:${tcp.port}`;
    assert.equal(JSON.parse(await http2Body(authority, {})).url, `${authority}/h2`);
    const request = "GET /one HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n";
    assert.equal(await tlsUrl(tcp.target, request), "https://example.com/one");
    assert.equal(await tlsUrl(tcp.target, "GET /a HTTP/1.0\r\n\r\n"), `https://localhost:${tcp.port}/a`);
    assert.deepEqual(listeningSockets(started.pid), [inodeOf(tcp.fd)]);
    assert.equal(await started.terminate(), 0, started.stderr());
  }
}, needs("openssl"));

onDeno("serveNative() serves HTTP/2 without TLS to who begins with it", async () => {
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`);
  using tcp = holdTcp();
  for (const held of [tcp, unix]) {
    await using started = start("native", {}, [held]);
    const createConnection = () => connectSocket({ ...held.target } as { path: string });
    const body = JSON.parse(await http2Body("http://example.com:8080", { createConnection }));
    assert.equal(body.url, "http://example.com:8080/h2");
    assert.equal(await started.terminate(), 0, started.stderr());
  }
});

/** The body of a response that is chunked, or ends with the connection. */
function bodyOf(response: Buffer): { head: string; body: Buffer } {
  const end = response.indexOf("\r\n\r\n");
  const head = response.subarray(0, end).toString();
  if (!/^transfer-encoding: chunked/im.test(head)) return { head, body: response.subarray(end + 4) };
  const chunks: Buffer[] = [];
  for (let at = end + 4;;) {
    const from = response.indexOf("\r\n", at) + 2;
    const size = Number.parseInt(response.subarray(at, from).toString(), 16);
    if (size === 0) return { head, body: Buffer.concat(chunks) };
    chunks.push(response.subarray(from, from + size));
    at = from + size + 2;
  }
}

onDeno("serveNative() takes the options of Deno.serve()", async () => {
  using tcp = holdTcp();
  await using started = start("native", { automaticCompression: true }, [tcp]);
  const socket = await open(tcp.target);
  send(socket, "/text", ["connection: close", "accept-encoding: gzip"]);
  const { head, body } = bodyOf(await receive(socket));
  assert.match(head, /^content-encoding: gzip/im);
  assert.match(head, /^x-static: 1/im);
  assert.equal(gunzipSync(body).toString(), "a long text. ".repeat(1000));
  const plain = await get(tcp.target, "/text");
  assert.doesNotMatch(plain.head, /^content-encoding/im);
  const thrown = await get(tcp.target, "/throw");
  assert.deepEqual([thrown.status, thrown.body], [503, "onError: on purpose"]);
  assert.equal(await started.terminate(), 0, started.stderr());
});

onDeno("Deno.upgradeWebSocket() takes the requests of serveNative() and denoServe", async () => {
  using folder = tempFolder();
  using unix = holdUnix(`${folder.path}/s.sk`);
  using tcp = holdTcp();
  for (const mode of ["native", "engine"] as const) {
    await using started = start(mode, {}, [tcp]);
    await line(started, 1);
    const socket = new WebSocket(`ws://127.0.0.1:${tcp.port}/ws`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const answer = new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
    socket.send("hello");
    assert.equal(await answer, "echo hello");
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
    assert.equal(await started.terminate(), 0, started.stderr());
  }
  for (const mode of ["native", "engine"] as const) {
    await using started = start(mode, {}, [unix]);
    const socket = await open(unix.target);
    const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    send(socket, "/ws", ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13", key]);
    const head = (await receive(socket, 80)).toString();
    assert.match(head, /^HTTP\/1.1 101 /);
    // One masked frame of text (RFC 6455, 5.2), with a mask of zeros; the answer has none.
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from("hi")]));
    const frame = await receive(socket, 9);
    assert.ok(frame.includes("echo hi"), frame.toString("latin1"));
    socket.destroy();
    assert.equal(await started.terminate(), 0, started.stderr());
  }
});
