/** The status of an upgrade: `connection` is the upgrade's own header there. */
const SWITCHING_PROTOCOLS = 101;

/**
 * The response with `connection: close` (RFC 9112, 9.6): the client sends its next request on a new connection, which is the next
 * instance's. Where the headers cannot be changed, as after `Response.redirect()` or `fetch()`, it is a copy.
 *
 * @param response What the handler gave; its body is not touched.
 */
export function closing(response: Response): Response {
  if (response.status === SWITCHING_PROTOCOLS) return response;
  try {
    response.headers.set("connection", "close");
    return response;
  } catch {
    return closingCopy(response);
  }
}

function closingCopy(response: Response): Response {
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.set("connection", "close");
  try {
    return new Response(body, { status, statusText, headers });
  } catch {
    // Response.error(), or a body that is in use: the runtime says what it says of those.
    return response;
  }
}
