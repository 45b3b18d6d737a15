/** What Deno knows of a request or response behind their public interface, by the descriptions of its symbols. */
type Inner = Record<symbol, { readonly body?: { readonly streamOrStatic?: unknown } | null } | undefined | null>;

const symbolsOf = (object: object) => Object.getOwnPropertySymbols(object);

/** Where Deno keeps what is in a response; `undefined` if this Deno keeps it elsewhere. */
let place: { readonly key: symbol | undefined } | undefined;

function findPlace(): { readonly key: symbol | undefined } {
  const probe = new Response(new ReadableStream());
  const isThere = (key: symbol) => (probe as unknown as Inner)[key]?.body?.streamOrStatic instanceof ReadableStream;
  return { key: symbolsOf(probe).find(isThere) };
}

/** Whether the body of a response is a stream. Its `body` would tell as well, and make a stream of any body, which costs half of the speed. */
function isStreamed(response: Response): boolean {
  const { key } = place ??= findPlace();
  if (key !== undefined) return (response as unknown as Inner)[key]?.body?.streamOrStatic instanceof ReadableStream;
  return response.headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/** Whether nothing says how long a response is: a stream without `content-length`. */
export function isOpenEnded(response: Response): boolean {
  return isStreamed(response) && !response.headers.has("content-length");
}

/** A `Request` of Deno's, with its signal if its handler has asked for that. */
type Cached = Record<symbol, unknown>;

/**
 * Aborts the signal of a request, if its handler has asked for it: to ask for it here would make Deno 2.9 print a warning of its own.
 *
 * @param request One that Deno.serve gave.
 * @param reason What its signal says.
 */
export function abortRequest(request: Request, reason: unknown): void {
  const cached = symbolsOf(request).find(({ description }) => description === "signalCache");
  const signal = cached === undefined ? request.signal : (request as unknown as Cached)[cached];
  if (!(signal instanceof AbortSignal) || signal.aborted) return;
  const own = symbolsOf(AbortSignal.prototype).find(({ description }) => description === "[[signalAbort]]");
  const abort = own && (signal as unknown as Cached)[own];
  if (typeof abort === "function") abort.call(signal, reason);
}
