import { quoted } from "../quoted.ts";
import type { UpgradeOptions } from "./web_socket_types.ts";

/** What a handler wants a request to become a WebSocket with. */
export interface Upgrade {
  readonly headers: Headers;
  readonly context: Record<string, unknown>;
}

/** What stands behind a response that is to be an upgrade. */
interface Behind {
  readonly context: Record<string, unknown>;
  isTaken: boolean;
}

const behind: WeakMap<Response, Behind> = new WeakMap();

/** The version that there is (RFC 6455, 4.1). */
const version = "13";
/** Sixteen bytes in base64. */
const keyPattern = /^[+/0-9A-Za-z]{22}==$/;

function refuse(what: string): never {
  throw new TypeError(`Cannot upgrade the connection: ${what}`);
}

/** The words of a header that is a list. */
function wordsOf(request: Request, name: string): string[] {
  return (request.headers.get(name) ?? "").split(",").map((word) => word.trim()).filter((word) => word !== "");
}

function hasWord(request: Request, name: string, word: string): boolean {
  return wordsOf(request, name).some((one) => one.toLowerCase() === word);
}

/** What a client is told that asks for no WebSocket, or not as RFC 6455, 4.2.1, says; `undefined` where all is right. */
function refusal(request: Request): Response | undefined {
  const isAsked = request.method === "GET" && hasWord(request, "upgrade", "websocket") &&
    hasWord(request, "connection", "upgrade");
  if (!isAsked || request.headers.get("sec-websocket-version") !== version) {
    const headers = { connection: "close, upgrade", upgrade: "websocket", "sec-websocket-version": version };
    return new Response("Upgrade Required", { status: 426, headers });
  }
  if (keyPattern.test(request.headers.get("sec-websocket-key") ?? "")) return undefined;
  return new Response("Bad Request", { status: 400 });
}

function headersOf(request: Request, { headers: init }: UpgradeOptions): Headers {
  const headers = new Headers(init);
  const protocol = headers.get("sec-websocket-protocol");
  if (protocol !== null && !wordsOf(request, "sec-websocket-protocol").includes(protocol)) {
    refuse(`the client does not offer the protocol ${quoted(protocol)}`);
  }
  return headers;
}

/**
 * The response that makes a WebSocket of a request once the handler has returned it: it, and no copy. Its status is 101, which not every runtime
 * makes a `Response` with, and its headers are those of the real one, so what is between the handler and the server may add some.
 *
 * @throws {TypeError} If the options are not of their kind, or choose a protocol that the client does not offer.
 * @param request The client's.
 * @param options What the handler gave.
 * @returns A response with 426 or 400, if the request asks for no WebSocket.
 */
export function upgradeResponse(request: Request, options: UpgradeOptions = {}): Response {
  if (typeof options !== "object" || options === null) refuse(`options is ${quoted(options)}, not an object`);
  const { context = {} } = options;
  if (typeof context !== "object" || context === null) refuse(`context is ${quoted(context)}, not an object`);
  const refused = refusal(request);
  if (refused !== undefined) return refused;
  const response = new Response(null, { headers: headersOf(request, options) });
  Object.defineProperties(response, {
    status: { value: 101 },
    statusText: { value: "Switching Protocols" },
    ok: { value: false },
  });
  behind.set(response, { context, isTaken: false });
  return response;
}

/** Whether a response is to be an upgrade. */
export function isUpgrade(response: Response): boolean {
  return behind.has(response);
}

/**
 * What is behind such a response.
 *
 * @throws {TypeError} If it was asked before: a response is for one request.
 */
export function takeUpgrade(response: Response): Upgrade {
  const found = behind.get(response)!;
  if (found.isTaken) refuse("the response was returned for another request");
  found.isTaken = true;
  return { headers: response.headers, context: found.context };
}
