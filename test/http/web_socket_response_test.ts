import assert from "node:assert/strict";
import { test } from "node:test";
import { closing } from "../../src/http/closing.ts";
import { Responder } from "../../src/http/responder.ts";
import type { ServeInfo, UpgradeOptions, WebSocketHandlers } from "../../src/http/types.ts";
import { WebSockets } from "../../src/http/web_sockets.late.ts";
import { typeError } from "../fixtures/expect.ts";
import { localAddress, remoteAddress, stateOf } from "../fixtures/fake_transports.ts";

const handshake = {
  connection: "keep-alive, Upgrade",
  upgrade: "WebSocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-protocol": "a, b",
};

/** The WebSockets of a server; what it reports is collected. */
function make(handlers: WebSocketHandlers = {}) {
  const reported: string[] = [];
  const webSockets = new WebSockets(handlers, (error) => void reported.push((error as Error).message));
  return { webSockets, reported };
}

/** What `info.upgrade()` gives for a request. */
function upgrade(request: Request, options?: UpgradeOptions): Response {
  let given: Response | undefined;
  const handler = (_request: Request, info: ServeInfo) => given = info.upgrade(options);
  const { webSockets, reported } = make();
  const responder = new Responder(
    handler,
    (error) => {
      throw error;
    },
    (error) => void reported.push((error as Error).message),
    webSockets,
  );
  void responder.handle(request, () => remoteAddress, () => localAddress);
  if (given === undefined) throw new TypeError(reported[0]);
  return given;
}

const asking = (changes: Record<string, string> = {}, method = "GET") =>
  new Request("http://host/chat", { method, headers: { ...handshake, ...changes } });

test("info.upgrade() gives a response with status 101, whose headers can be changed", () => {
  const response = upgrade(asking(), { headers: { "sec-websocket-protocol": "b" } });
  assert.ok(response instanceof Response);
  const { status, statusText, ok, body } = response;
  assert.deepEqual({ status, statusText, ok, body }, {
    status: 101,
    statusText: "Switching Protocols",
    ok: false,
    body: null,
  });
  response.headers.set("x-own", "1");
  assert.deepEqual([...response.headers], [["sec-websocket-protocol", "b"], ["x-own", "1"]]);
  // It stays what it is while the server stops.
  assert.equal(closing(response), response);
  assert.equal(response.headers.get("connection"), null);
});

test("info.upgrade() gives 426 or 400 to what is no handshake", async () => {
  const cases: [status: number, request: Request][] = [
    [426, new Request("http://host/chat")],
    [426, asking({}, "POST")],
    [426, asking({ upgrade: "h2c" })],
    [426, asking({ connection: "keep-alive" })],
    [426, asking({ "sec-websocket-version": "8" })],
    [400, asking({ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ" })],
  ];
  for (const [status, request] of cases) {
    const response = upgrade(request);
    assert.equal(response.status, status);
    if (status === 400) continue;
    assert.equal(await response.text(), "Upgrade Required");
    assert.equal(response.headers.get("upgrade"), "websocket");
    assert.equal(response.headers.get("sec-websocket-version"), "13");
  }
});

test("info.upgrade() refuses what it cannot do", () => {
  const cases: [options: unknown, text: string][] = [
    [null, "options is null, not an object"],
    ["x", 'options is "x", not an object'],
    [{ context: 1 }, "context is 1, not an object"],
    [{ headers: { "sec-websocket-protocol": "c" } }, 'the client does not offer the protocol "c"'],
  ];
  for (const [options, text] of cases) {
    const error = typeError(`Cannot upgrade the connection: ${text}`);
    assert.throws(() => upgrade(asking(), options as UpgradeOptions), error);
  }
});

test("WebSockets.answer() passes on what is no upgrade, and upgrades each response once", async () => {
  const { webSockets, reported } = make();
  const plain = new Response("plain");
  const never = () => Promise.reject(new Error("nothing to upgrade"));
  assert.equal(webSockets.answer(plain, never), plain);
  assert.equal(await webSockets.answer(Promise.resolve(plain), never), plain);
  const response = webSockets.response(asking(), { context: { user: "one" } });
  const answer = await webSockets.answer(response, ({ context }) => Promise.resolve(context));
  assert.deepEqual(answer, { user: "one" });
  const second = await webSockets.answer(response, never) as Response;
  assert.equal(second.status, 500);
  const failing = await webSockets.answer(webSockets.response(asking()), never) as Response;
  assert.equal(failing.status, 500);
  const texts = ["Cannot upgrade the connection: the response was returned for another request", "nothing to upgrade"];
  assert.deepEqual(reported, texts);
});

/** Opens a WebSocket as crossws does. */
function open({ options: { hooks } }: WebSockets, webSockets: WebSockets) {
  const request = asking();
  const response = webSockets.response(request);
  let raw!: Parameters<NonNullable<typeof hooks.open>>[0];
  void webSockets.answer(response, (upgrade) => {
    webSockets.accept(request, upgrade, { remoteAddress });
    const { context } = hooks.upgrade!(request);
    raw = { id: "1", context, bufferedAmount: 0, send() {}, close() {}, terminate() {} };
    return Promise.resolve();
  });
  hooks.open!(raw);
  return { close: () => hooks.close!(raw, { code: 1000, reason: "" }) };
}

test("WebSockets.ended() waits until the handlers of the end are done", async () => {
  let finish: () => void = () => {};
  const { webSockets } = make({ close: () => new Promise((resolve) => finish = resolve) });
  assert.equal(await stateOf(webSockets.ended()), "fulfilled");
  const socket = open(webSockets, webSockets);
  const ended = webSockets.ended();
  assert.equal(await stateOf(ended), "pending");
  socket.close();
  assert.equal(await stateOf(ended), "pending");
  finish();
  await ended;
});
