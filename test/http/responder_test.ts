import assert from "node:assert/strict";
import { test } from "node:test";
import { closing } from "../../src/http/closing.ts";
import { Responder } from "../../src/http/responder.ts";
import type { ServeHandler, ServeOptions } from "../../src/http/types.ts";
import type { Address } from "../../src/types.ts";
import { localAddress, remoteAddress, turn } from "../fixtures/fake_transports.ts";

/** A handler of the wrong type, as JavaScript may give it. */
const handlerOf = (handler: (...args: never[]) => unknown) => handler as ServeHandler;

function make(handler: ServeHandler, onError?: ServeOptions["onError"]) {
  const reported: string[] = [];
  const responder = new Responder(handler, onError, (error) => void reported.push((error as Error).message));
  const asked: string[] = [];
  const ask = (remote = remoteAddress, local = localAddress) =>
    responder.handle(
      new Request("http://host/"),
      () => (asked.push("remote"), remote),
      () => (asked.push("local"), local),
    );
  return { responder, reported, asked, ask };
}

async function text(response: Response | Promise<Response>): Promise<string> {
  const { status } = await response;
  return `${status} ${await (await response).text()}`;
}

test("Responder gives the response of a synchronous handler itself", () => {
  const response = new Response("x");
  const { ask, asked } = make(handlerOf((_request: Request, _info: unknown) => response));
  assert.equal(ask(), response);
  assert.deepEqual(asked, []);
});

test("Responder asks for an address when the handler does", () => {
  let seen: Address[] = [];
  const { ask, asked } = make((_request, info) => {
    seen = [info.remoteAddress, info.localAddress];
    return new Response();
  });
  ask();
  assert.deepEqual(seen, [remoteAddress, localAddress]);
  assert.deepEqual(asked, ["remote", "local"]);
});

test("Responder counts the handlers that have not answered", async () => {
  let answer: (response: Response) => void = () => {};
  const { responder, ask } = make(() => new Promise((resolve) => answer = resolve));
  assert.equal(responder.exchanges.running, 0);
  const first = ask();
  assert.equal(responder.exchanges.running, 1);
  const answerFirst = answer;
  const second = ask();
  assert.equal(responder.exchanges.running, 2);
  answerFirst(new Response("first"));
  assert.equal(await text(first), "200 first");
  assert.equal(responder.exchanges.running, 1);
  answer(undefined as never);
  assert.equal(await text(second), "500 Internal Server Error");
  assert.equal(responder.exchanges.running, 0);
});

const failing: Record<string, [ServeHandler, string]> = {
  throws: [() => {
    throw new Error("thrown");
  }, "thrown"],
  rejects: [() => Promise.reject(new Error("rejected")), "rejected"],
  "returns nothing": [
    handlerOf(() => undefined),
    "Cannot answer the request: the handler returned undefined, not a Response",
  ],
  "returns an object": [
    handlerOf(() => ({})),
    "Cannot answer the request: the handler returned an object, not a Response",
  ],
  "resolves to a number": [
    handlerOf(() => Promise.resolve(7)),
    "Cannot answer the request: the handler returned 7, not a Response",
  ],
};

for (const [what, [handler, message]] of Object.entries(failing)) {
  test(`Responder makes a 500 of a handler that ${what}, and reports the error`, async () => {
    const { ask, reported, responder } = make(handler);
    assert.equal(await text(ask()), "500 Internal Server Error");
    assert.deepEqual(reported, [message]);
    assert.equal(responder.exchanges.running, 0);
  });

  test(`Responder asks onError where a handler ${what}`, async () => {
    const tell = (error: unknown) => new Response((error as Error).message, { status: 503 });
    for (const onError of [tell, async (error: unknown) => await Promise.resolve(tell(error))]) {
      const { ask, reported, responder } = make(handler, onError);
      assert.equal(await text(ask()), `503 ${message}`);
      assert.deepEqual(reported, []);
      assert.equal(responder.exchanges.running, 0);
    }
  });
}

test("Responder makes a 500 where onError fails as well, and reports both", async () => {
  const fails: Record<string, NonNullable<ServeOptions["onError"]>> = {
    worse: () => {
      throw new Error("worse");
    },
    "worse later": () => Promise.reject(new Error("worse later")),
    "Cannot answer the request: onError returned undefined, not a Response": (() => undefined) as never,
    "Cannot answer the request: onError returned null, not a Response": (() => Promise.resolve(null)) as never,
  };
  for (const [message, onError] of Object.entries(fails)) {
    for (const [handler, first] of Object.values(failing)) {
      const { ask, reported, responder } = make(handler, onError);
      assert.equal(await text(ask()), "500 Internal Server Error");
      assert.deepEqual(reported, [first, message]);
      assert.equal(responder.exchanges.running, 0);
    }
  }
});

test("Responder counts an onError that has not answered", async () => {
  let answer: (response: Response) => void = () => {};
  const { responder, ask } = make(failing.rejects[0], () => new Promise((resolve) => answer = resolve));
  const response = ask();
  await turn();
  assert.equal(responder.exchanges.running, 1);
  answer(new Response("late"));
  assert.equal(await text(response), "200 late");
  assert.equal(responder.exchanges.running, 0);
});

test("Responder takes any thenable for a promise", async () => {
  const thenable = { then: (resolve: (response: Response) => void) => resolve(new Response("then")) };
  const { ask, responder } = make(handlerOf(() => thenable));
  assert.equal(await text(ask()), "200 then");
  assert.equal(responder.exchanges.running, 0);
});

test("Responder answers where nothing can be reported", async () => {
  const responder = new Responder(failing.throws[0], undefined, () => {
    throw new Error("stderr is closed");
  });
  const response = responder.handle(new Request("http://x/"), () => remoteAddress, () => localAddress);
  assert.equal(await text(response), "500 Internal Server Error");
});

test("Responder says `connection: close` on every response once it is told to", async () => {
  const handlers = [
    () => new Response(),
    async () => await Promise.resolve(new Response()),
    ...Object.values(failing).map(([handler]) => handler),
  ];
  for (const handler of handlers) {
    for (const onError of [undefined, () => new Response(), () => Promise.resolve(new Response())]) {
      const { ask, responder } = make(handler, onError);
      assert.equal((await ask()).headers.get("connection"), null);
      responder.exchanges.startClosing();
      assert.equal((await ask()).headers.get("connection"), "close");
    }
  }
});

test("closing() changes the response itself where it can", () => {
  const response = new Response("x", { headers: { a: "b", connection: "keep-alive" } });
  assert.equal(closing(response), response);
  assert.deepEqual([...response.headers].filter(([name]) => name !== "content-type"), [["a", "b"], [
    "connection",
    "close",
  ]]);
});

test("closing() copies a response with immutable headers", async () => {
  const redirect = closing(Response.redirect("http://example.com/", 307));
  assert.equal(redirect.status, 307);
  assert.equal(redirect.headers.get("location"), "http://example.com/");
  assert.equal(redirect.headers.get("connection"), "close");
  const fetched = await fetch("data:text/html,<p>fetched");
  const answer = closing(fetched);
  assert.equal(answer.headers.get("connection"), "close");
  assert.match(answer.headers.get("content-type")!, /^text\/html/);
  assert.equal(await answer.text(), "<p>fetched");
});

test("closing() leaves an upgrade alone, and what cannot be copied", async () => {
  const upgrade = { status: 101, headers: new Headers({ connection: "upgrade" }) } as Response;
  assert.equal(closing(upgrade), upgrade);
  assert.equal(upgrade.headers.get("connection"), "upgrade");
  const error = Response.error();
  assert.equal(closing(error).type, "error");
  const used = await fetch("data:,used");
  await used.text();
  assert.equal(await closing(used).text().catch(() => "still used"), "still used");
});

test("Responder counts the requests that came", async () => {
  const handlers: ServeHandler[] = [
    () => new Response("at once"),
    (_request) => Promise.resolve(new Response("later")),
    () => {
      throw new Error("no");
    },
  ];
  for (const handler of handlers) {
    const { responder, ask } = make(handler);
    assert.equal(responder.exchanges.handled, 0);
    await ask();
    await ask();
    assert.equal(responder.exchanges.handled, 2);
  }
});
