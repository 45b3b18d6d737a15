// What serve() says of requests that failed goes to the journal as errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { logText } from "../../src/service/log.ts";
import { detailsOf } from "../../src/service/failure.ts";
import { activate } from "../fixtures/activate.ts";
import { type Place, places } from "../fixtures/engines.ts";
import { ask } from "../fixtures/http_client.ts";
import { runtime } from "../fixtures/runtime.ts";
import { holdTcp } from "../fixtures/sockets.ts";

/** As the journal would be its stderr. */
const how = 'export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); exec "$@"';

function journaled({ variant, engine }: Place, fd: number, onError?: string) {
  const command = variant.command.map((flag) => flag.startsWith("--allow-env=") ? `${flag},JOURNAL_STREAM` : flag);
  const args = [JSON.stringify({ engine, onError })];
  const script = "test/fixtures/http_daemon.ts";
  return activate({ variant: { ...variant, command }, script, args, fds: [fd], how });
}

for (const place of places) {
  test(`each line that serve() says of a handler that failed has its priority (${place.name})`, async () => {
    for (const onError of [undefined, "throw"]) {
      using held = holdTcp();
      await using started = journaled(place, held.fd, onError);
      await started.line();
      const paths = ["/throw", "/reject", "/nothing", "/nothing-later", "/invalid"];
      for (const path of paths) assert.equal(await ask(held.target, { path }), "500 Internal Server Error", path);
      if (runtime === "Deno" && place.engine === "node-http") {
        const headers = {
          connection: "upgrade",
          upgrade: "websocket",
          "sec-websocket-key": "a",
          "sec-websocket-version": "13",
        };
        assert.equal(await ask(held.target, { path: "/ws?a", headers }), "501 Not Implemented");
      }
      assert.equal(await started.terminate(), 0, started.stderr());
      const own = /^(?:onListen .*|stopping|finished)$/;
      const lines = started.stderr().trimEnd().split("\n").filter((line) => !own.test(line));
      assert.deepEqual(lines.filter((line) => !line.startsWith("<3>")), [], started.stderr());
      const messages = [
        "thrown",
        "rejected",
        "not a Response",
        "\n<3> +at ",
        ...(onError === undefined ? [] : ["worse"]),
      ];
      for (const message of messages) assert.match(started.stderr(), new RegExp(message), started.stderr());
      // Where it was thrown is said, too, and each error once.
      assert.equal(started.stderr().match(/Error: thrown|^<3>thrown$/gm)?.length, 1, started.stderr());
    }
  });
}

test(`logText() cuts what is longer than a line of the journal, and no character (${runtime})`, () => {
  const limit = 48 * 1024;
  const encoder = new TextEncoder();
  for (const character of ["x", "ü", "中", "😀"]) {
    const line = `a${character.repeat(limit)}`;
    const lines = logText("<3>", `${line}\nshort`).split("\n");
    assert.equal(lines.pop(), "");
    assert.equal(lines.pop(), "<3>short");
    assert.ok(lines.length > 1);
    for (const piece of lines) {
      assert.ok(piece.startsWith("<3>") && encoder.encode(`${piece}\n`).length <= limit, String(piece.length));
      assert.ok(!piece.includes("\ufffd"));
    }
    assert.equal(lines.map((piece) => piece.slice(3)).join(""), line);
    // Nobody cuts elsewhere.
    assert.equal(logText("", line), `${line}\n`);
  }
  const fitting = "x".repeat(limit - 4);
  assert.equal(logText("<3>", fitting), `<3>${fitting}\n`);
  assert.equal(logText("<3>", `${fitting}y`), `<3>${fitting}\n<3>y\n`);
});

test(`detailsOf() tells all that went wrong, and what was thrown that is no error (${runtime})`, () => {
  const errors = ["127.0.0.1:1", "::1:1"].map((address) => new Error(`connect ECONNREFUSED ${address}`));
  const text = detailsOf(new AggregateError(errors));
  for (const { message } of errors) assert.match(text, new RegExp(`^One of them: (?:Error: )?${message}$`, "m"));
  assert.equal(detailsOf({ status: 418, why: "teapot" }), '{"status":418,"why":"teapot"}');
  const circle: { self?: unknown } = {};
  circle.self = circle;
  for (const one of [circle, Object.create(null)]) assert.equal(detailsOf(one), "[object Object]");
  assert.equal(detailsOf(undefined), "undefined");
});

test(`detailsOf() tells what caused an error (${runtime})`, () => {
  const inner = new TypeError("the file is gone");
  const text = detailsOf(new Error("cannot answer", { cause: inner }));
  assert.match(text, /^(?:Error: )?cannot answer\n[^]*\nCaused by: (?:TypeError: )?the file is gone\n/);
  const circle: { message: string; cause?: unknown } = { message: "round" };
  circle.cause = circle;
  assert.equal(detailsOf(circle), ["round", ...Array<string>(8).fill("Caused by: round")].join("\n"));
  assert.equal(detailsOf(new Error("x", { cause: "a text" })).split("\n").at(-1), "Caused by: a text");
});
